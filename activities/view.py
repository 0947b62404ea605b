"""The automation made ready for people: Markdown for Temporal's UI, one line, search attributes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from engine.effects import effect_in_words
from engine.job import InvocationOutcome
from engine.state import Action, AutomationState, Order
from engine.types import Timestamp
from engine.values import format_decimal
from workflows.messages import View
from workflows.search_attributes import EXCHANGE, SYMBOLS

MAX_DETAILS_BYTES: Final = 8_000
MAX_ROWS: Final = 40
MAX_CELL: Final = 80
MAX_SYMBOLS: Final = 10
MAX_NEXT_ACTIONS: Final = 5


def build_view(state: AutomationState, outcome: InvocationOutcome, *, with_attributes: bool) -> View:
    """Render a state and what the last invocation did.

    Args:
        state: the new state.
        outcome: of the invocation that made it.
        with_attributes: whether the server knows Octoflow's search attributes.
    """
    return View(
        details=details(state, outcome),
        next_actions=next_actions(state, outcome.next_due_at),
        attributes=attributes(state) if with_attributes else None,
    )


def details(state: AutomationState, outcome: InvocationOutcome) -> str:
    """Return actions, portfolio, open orders and notes as Markdown of at most 8 KB."""
    sections = (
        _degraded(state),
        _effects(state),
        _actions(state),
        _portfolio(state),
        _open_orders(state),
        _notes(outcome),
    )
    return _cut("\n\n".join(section for section in sections if section))


def next_actions(state: AutomationState, due_at: Timestamp | None) -> str:
    """Return the ids of the first actions that are due at a moment, as one line."""
    if due_at is None:
        return ""
    due = (
        action.id
        for action in state.actions_in_turn
        if not action.is_completed and (action.not_before or 0) <= due_at
    )
    return ", ".join(islice(due, MAX_NEXT_ACTIONS))


def attributes(state: AutomationState) -> dict[str, Any]:
    """Return the values of the search attributes that the state decides."""
    symbols = set(islice(state.symbols_of_interest(), 10 * MAX_SYMBOLS))
    return {
        EXCHANGE.name: state.exchange.internal_name,
        SYMBOLS.name: sorted(symbols)[:MAX_SYMBOLS] or None,
    }


def _degraded(state: AutomationState) -> str:
    reason = state.degraded_reason
    return f"Cannot do its work: {_cell(reason)}" if reason else ""


def _effects(state: AutomationState) -> str:
    intents = state.pending_effects
    rows = (
        f"| {intent.key} | {_cell(effect_in_words(intent.kind, intent.params))} "
        f"| {intent.status.replace('_', ' ')} |"
        for intent in intents[:MAX_ROWS]
    )
    return _table("| effect | what | status |\n|---|---|---|", rows, len(intents) - MAX_ROWS)


def _actions(state: AutomationState) -> str:
    actions = state.all_actions
    rows = (f"| {_cell(action.id)} | {_cell(_standing(action))} |" for action in actions[:MAX_ROWS])
    return _table("| action | result |\n|---|---|", rows, len(actions) - MAX_ROWS)


def _standing(action: Action) -> str:
    if action.failed:
        return f"{action.error_status}: {action.error_message or ''}"
    if action.is_completed:
        return "done" if action.result is None else str(action.result)
    return "pending" if action.suspension is None else "waits"


def _portfolio(state: AutomationState) -> str:
    content = state.elements.portfolio.content
    rows = (
        f"| {asset} | {format_decimal(balance.available)} | {format_decimal(balance.total)} |"
        for asset, balance in islice(content.items(), MAX_ROWS)
    )
    return _table("| asset | available | total |\n|---|---|---|", rows, len(content) - MAX_ROWS)


def _open_orders(state: AutomationState) -> str:
    orders = state.open_orders
    rows = (f"| {' | '.join(_cells_of(order))} |" for order in orders[:MAX_ROWS])
    return _table(
        "| order | amount | symbol | type | price |\n|---|---|---|---|---|", rows, len(orders) - MAX_ROWS
    )


def _cells_of(order: Order) -> tuple[str, ...]:
    price = "" if order.price is None else format_decimal(order.price)
    return order.side, format_decimal(order.amount), order.symbol, order.type, price


def _notes(outcome: InvocationOutcome) -> str:
    return "\n".join(f"- {note}" for note in outcome.notes)


def _table(head: str, rows: Iterable[str], omitted: int) -> str:
    body = "\n".join(rows)
    if not body:
        return ""
    return f"{head}\n{body}" + (f"\n\nand {omitted} more" if omitted > 0 else "")


def _cell(text: str) -> str:
    short = text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 1]}…"
    return short.replace("|", "\\|").replace("\n", " ")


def _cut(text: str) -> str:
    encoded = text.encode()
    if len(encoded) <= MAX_DETAILS_BYTES:
        return text
    kept = encoded[: MAX_DETAILS_BYTES - 4].decode(errors="ignore")
    return kept[: kept.rfind("\n")] + "\n…"
