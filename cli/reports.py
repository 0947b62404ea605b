"""Makes an automation's state and status ready for the eyes: actions, orders, trades, portfolio, next run."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from cli.output import duration, moment, table
from engine.job import PendingEffect, shown
from engine.state import Action, AutomationState, Order, Trade, load_state
from engine.values import decode_value, format_decimal, plain_value
from workflows.messages import StatusReport

MAX_ROWS: Final = 12
MAX_SCRIPT: Final = 48
MAX_RESULT: Final = 80
ENDED: Final = ("finished", "stopped")
_NO_TIME: Final = " " * 19

_MARKS: Final[Mapping[str, tuple[str, str]]] = {
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "waiting": ("…", "yellow"),
    "pending": ("·", "dim"),
}
"""How each state of an action is drawn: its sign and colour."""

_STATUS_STYLES: Final[Mapping[str, str]] = {
    "finished": "bold green",
    "stopped": "bold yellow",
    "needs_attention": "bold red",
    "retrying": "bold yellow",
    "paused": "bold yellow",
}

_DECISIONS: Final[Mapping[str, str]] = {
    "awaiting_approval": "`octoflow approve {id}` sends what awaits that, `octoflow reject {id}` refuses it.",
    "unresolved": "Look on the exchange's page, then `octoflow resolve {id} KEY --placed`, or `--absent`.",
}
"""What a person can do about effects of a status; others need nobody."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One automation at one moment.

    Attributes:
        automation_id: under which it runs.
        report: how its loop stands.
        state: its state.
    """

    automation_id: str
    report: StatusReport
    state: AutomationState

    @classmethod
    def of(cls, automation_id: str, report: StatusReport, state: Mapping[str, Any]) -> Snapshot:
        """Build a snapshot from what the automation's queries answer."""
        return cls(automation_id, report, load_state(state))

    @property
    def is_consistent(self) -> bool:
        """Whether report and state are of the same iteration."""
        return self.report.iteration == self.state.automation.execution.iteration

    @property
    def has_ended(self) -> bool:
        """Whether the automation will not run again."""
        return self.report.status in ENDED

    @property
    def is_scheduled(self) -> bool:
        """Whether it is known when the automation runs next."""
        return not self.has_ended and self.report.status not in ("needs_attention", "retrying", "paused")

    @property
    def open_orders(self) -> list[Order]:
        """Orders that wait to be filled."""
        elements = self.state.automation.exchange_account_elements
        return elements.orders.open_orders if elements else []

    @property
    def waiting_exits(self) -> list[Order]:
        """Exits of a live account that take their place in the exchange's book when their price comes."""
        elements = self.state.automation.exchange_account_elements
        return elements.orders.inactive_orders if elements else []

    @property
    def effects(self) -> list[PendingEffect]:
        """What is planned or under way on a live account."""
        return shown(self.state.automation.execution.pending_effects)

    @property
    def trades(self) -> list[Trade]:
        """The newest fills, oldest first."""
        elements = self.state.automation.exchange_account_elements
        return elements.trades if elements else []

    @property
    def balances(self) -> dict[str, tuple[str, str]]:
        """Total and available amount by asset, without the empty ones."""
        elements = self.state.automation.exchange_account_elements
        content = elements.portfolio.content if elements else {}
        return {
            asset: (format_decimal(balance.total), format_decimal(balance.available))
            for asset, balance in content.items()
            if balance.total
        }

    @property
    def failed_actions(self) -> list[Action]:
        """Actions that ended in an error."""
        return [action for action in self.state.actions if action.failed]


def action_status(action: Action) -> str:
    """Return `done`, `failed`, `waiting` or `pending`."""
    if action.is_completed:
        return "failed" if action.failed else "done"
    return "waiting" if action.not_before is not None else "pending"


def action_result(action: Action) -> str:
    """Return what came out of an action in a few words."""
    if action.failed:
        return shorten(f"{action.error_status}: {action.error_message}")
    if action.is_completed:
        return shorten(_in_words(plain_value(decode_value(action.result))))
    if action.planned_effects:
        return "for its effects"
    return f"until {moment(action.not_before)}" if action.not_before is not None else ""


def _in_words(value: Any) -> str:
    if isinstance(value, dict) and isinstance(value.get("created_orders"), list):
        return "; ".join(_order_in_words(order) for order in value["created_orders"]) or "no order"
    if isinstance(value, dict) and isinstance(value.get("cancelled_orders"), list):
        count = len(value["cancelled_orders"])
        return f"{count} order{'' if count == 1 else 's'} cancelled"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_in_words(item)}" for key, item in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _order_in_words(order: Mapping[str, Any]) -> str:
    price = f" at {order['price']}" if order.get("price") is not None else ""
    return f"{order.get('type')} {order.get('side')} {order.get('amount')} {order.get('symbol')}{price}"


def shorten(text: str, length: int = MAX_RESULT) -> str:
    """Return the first line of a text, cut to a length."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def next_run(report: StatusReport, now: float | None = None) -> str:
    """Return when the automation runs next: in its own time, and how far that is from here."""
    if report.due_at is None and report.wake_at is None:
        return "none"
    left = max(0.0, (report.wake_at or 0) - (time.time() if now is None else now))
    market = f"{moment(report.due_at)} UTC, " if report.due_at else ""
    return f"{market}in {duration(left)}" if left else f"{market}now"


def render(snapshot: Snapshot) -> RenderableType:
    """Return everything about an automation that fits a terminal."""
    parts: list[RenderableType] = [_headline(snapshot), Text(), _actions(snapshot)]
    if snapshot.effects:
        parts += [Text(), _effects(snapshot)]
    if snapshot.open_orders:
        parts += [Text(), _orders("Open orders", snapshot.open_orders)]
    if snapshot.waiting_exits:
        parts += [Text(), _orders("Exits that wait for their price", snapshot.waiting_exits)]
    if snapshot.trades:
        parts += [Text(), _trades(snapshot)]
    if snapshot.balances:
        rows = [(asset, total, available) for asset, (total, available) in snapshot.balances.items()]
        parts += [Text(), table("Portfolio", ["asset", "total", "available"], rows)]
    return Group(*parts)


def _headline(snapshot: Snapshot) -> Text:
    report = snapshot.report
    line = Text.assemble(
        (snapshot.state.automation.metadata.name or snapshot.automation_id, "bold"),
        "  ",
        (report.status.replace("_", " "), _STATUS_STYLES.get(report.status, "bold cyan")),
        f"  iteration {report.iteration}",
    )
    if snapshot.is_scheduled:
        line.append(f"  next run {next_run(report)}")
    if report.reason:
        line.append(f"\n{report.reason}", style="red")
    degraded = snapshot.state.automation.execution.degraded_state
    if degraded.count:
        times = "once" if degraded.count == 1 else f"{degraded.count} times in a row"
        line.append(f"\n{times} since {moment(degraded.since)} UTC", style="red")
    return line


def _actions(snapshot: Snapshot) -> RenderableType:
    actions = snapshot.state.actions
    rows: list[list[str | Text]] = []
    for action in actions[:MAX_ROWS]:
        sign, style = _MARKS[action_status(action)]
        script = action.dsl_script if action.dsl_script is not None else f"({action.action})"
        rows.append([Text(sign, style=style), action.id, shorten(script, MAX_SCRIPT), action_result(action)])
    hidden = len(actions) - MAX_ROWS
    title = f"Actions (the first {MAX_ROWS} of {len(actions)})" if hidden > 0 else "Actions"
    return table(title, ["", "id", "script", "result"], rows, cut=["script", "result"])


def _effects(snapshot: Snapshot) -> RenderableType:
    rows = [
        (one.key, one.action_id, one.what, one.status.replace("_", " "))
        for one in snapshot.effects[:MAX_ROWS]
    ]
    statuses = {one.status for one in snapshot.effects}
    advice = [
        Text(text.format(id=snapshot.automation_id), style="yellow")
        for status, text in _DECISIONS.items()
        if status in statuses
    ]
    effects = table("Effects under way", ["key", "action", "what", "status"], rows, cut=["what"])
    return Group(effects, *advice)


def _orders(title: str, orders: Sequence[Order]) -> RenderableType:
    rows = [
        [
            order.side,
            order.type,
            order.symbol,
            format_decimal(order.remaining),
            _waited_for(order),
        ]
        for order in orders[-MAX_ROWS:]
    ]
    return table(title, ["side", "type", "symbol", "left", "price"], rows)


def _waited_for(order: Order) -> str:
    price = order.price if order.stop_price is None else order.stop_price
    return format_decimal(price) if price is not None else "market"


def _trades(snapshot: Snapshot) -> RenderableType:
    return table("Trades", ["time (UTC)", "side", "symbol", "amount", "price", "cost"], [
        [
            moment(trade.timestamp),
            trade.side,
            trade.symbol,
            format_decimal(trade.amount),
            format_decimal(trade.price),
            format_decimal(trade.cost),
        ]
        for trade in snapshot.trades[-MAX_ROWS:]
    ])  # fmt: skip


def changes(before: Snapshot | None, after: Snapshot) -> list[str]:
    """Return what happened between two snapshots, a line each, in the order of the automation's time."""
    events = [*_action_events(before, after), *_trade_events(before, after)]
    lines = [f"{moment(at)}  {text}" for at, text in sorted(events, key=lambda event: event[0])]
    lines += [f"{_NO_TIME}  {text}" for text in (*_new_waits(before, after), *_new_questions(before, after))]
    if before is None or before.report.status != after.report.status:
        reason = f": {after.report.reason}" if after.report.reason else ""
        lines.append(f"{_NO_TIME}  {after.report.status.replace('_', ' ')}{reason}")
    return lines


def _action_events(before: Snapshot | None, after: Snapshot) -> Iterator[tuple[float, str]]:
    known = {action.id: action.executed_at for action in before.state.actions} if before else {}
    for action in after.state.actions:
        if action.executed_at is not None and known.get(action.id) != action.executed_at:
            sign, _style = _MARKS[action_status(action)]
            yield action.executed_at, f"{sign} {action.id}: {action_result(action)}"


def _trade_events(before: Snapshot | None, after: Snapshot) -> Iterator[tuple[float, str]]:
    seen = {trade.id for trade in before.trades} if before else set()
    for trade in after.trades:
        if trade.id not in seen:
            amount, price = format_decimal(trade.amount), format_decimal(trade.price)
            yield trade.timestamp, f"$ {_PAST[trade.side]} {amount} {trade.symbol} at {price}"


def _new_waits(before: Snapshot | None, after: Snapshot) -> Iterator[str]:
    """Yield the actions that began to wait; those that merely went on waiting are not news."""
    waiting = (
        {action.id for action in before.state.actions if action.not_before is not None} if before else set()
    )
    for action in after.state.actions:
        if action.not_before is not None and action.id not in waiting:
            yield f"… {action.id} waits {action_result(action)}"


def _new_questions(before: Snapshot | None, after: Snapshot) -> Iterator[str]:
    """Yield the effects that only a person can decide about, when they begin to need that."""
    known = {(one.key, one.status) for one in before.effects} if before else set()
    for one in after.effects:
        if one.status in _DECISIONS and (one.key, one.status) not in known:
            yield f"! {one.action_id}: {one.what}: {one.status.replace('_', ' ')}, key {one.key}"


_PAST: Final[Mapping[str, str]] = {"buy": "bought", "sell": "sold"}
