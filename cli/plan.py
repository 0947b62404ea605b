"""The command that looks ahead: plan."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

import connection
from cli.errors import CommandError
from cli.files import read_automation
from cli.market import DEFAULT_SPEED
from cli.output import JsonFlag, console, moment, print_json, table
from cli.reports import action_result, action_status, shorten
from cli.run import FileArgument, MarketOption, Overlay, StartOption
from engine.invocation import InvocationOutcome, InvocationRequest
from engine.job import AutomationJob
from engine.state import AuthDetails, AutomationState, ExchangeAccountElements, Order, load_state
from engine.types import Timestamp
from engine.values import format_decimal

_WOULD: Final = {
    "done": "would be done",
    "failed": "would fail",
    "waiting": "would wait",
    "pending": "not yet",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What one invocation would make of an automation.

    Attributes:
        at: market time of the invocation, UNIX seconds.
        state: what it would leave behind.
        outcome: what it would report.
    """

    at: Timestamp
    state: AutomationState
    outcome: InvocationOutcome

    @property
    def account(self) -> ExchangeAccountElements:
        """The paper account afterwards; an empty one when no action touched it."""
        return self.state.automation.exchange_account_elements or ExchangeAccountElements()

    @property
    def failing(self) -> list[str]:
        """Actions that would end in an error."""
        return [action.id for action in self.state.actions if action.failed]


def plan(
    file: FileArgument, market: MarketOption = None, start: StartOption = None, as_json: JsonFlag = False
) -> None:
    """Show what one invocation would do, on a paper copy of the account: nothing is sent, nothing is kept."""
    looked_ahead = asyncio.run(
        _look_ahead(read_automation(file), Overlay(market, start, DEFAULT_SPEED, None))
    )
    if as_json:
        print_json(_in_json(looked_ahead))
    else:
        console().print(_picture(looked_ahead))
    if looked_ahead.failing:
        raise CommandError(f"these actions would fail: {', '.join(looked_ahead.failing)}.")


async def _look_ahead(state: AutomationState, overlay: Overlay) -> Plan:
    copy, _ = await overlay.apply(_on_paper(state), connection.load_settings())
    details = copy.exchange_account_details
    recorded = details.exchange_details.recorded if details is not None else None
    now = recorded.start if recorded is not None and recorded.start is not None else time.time()
    job = AutomationJob(InvocationRequest(state=copy, now=now))
    outcome = await job.run()
    return Plan(now, load_state(job.dump()), outcome)


def _on_paper(state: AutomationState) -> AutomationState:
    """Return a copy without credentials, whose orders are paper orders, and that publishes nothing."""
    copy = state.model_copy(deep=True)
    copy.automation.metadata.emit_signals = False
    if copy.exchange_account_details is not None:
        copy.exchange_account_details.auth_details = AuthDetails()
    return copy


def _picture(plan: Plan) -> RenderableType:
    parts: list[RenderableType] = [
        Text(f"One invocation at {moment(plan.at)} UTC, on paper", style="bold"),
        Text(),
        table("Actions", ["id", "", "result"], list(_action_rows(plan)), cut=["result"]),
    ]
    orders = list(_order_rows(plan))
    if orders:
        columns = ["side", "type", "symbol", "amount", "price", ""]
        parts += [Text(), table("Orders", columns, orders)]
    balances = [(asset, total, available) for asset, (total, available) in _balances(plan).items()]
    if balances:
        parts += [Text(), table("Portfolio afterwards", ["asset", "total", "available"], balances)]
    due = plan.outcome.next_due_at
    parts += [Text(), Text(f"Next invocation: {moment(due) + ' UTC' if due is not None else 'none'}")]
    return Group(*parts)


def _action_rows(plan: Plan) -> Iterator[tuple[str, str, str]]:
    for action in plan.state.actions:
        yield action.id, _WOULD[action_status(action)], shorten(action_result(action))


def _order_rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    for trade in plan.account.trades:
        numbers = format_decimal(trade.amount), format_decimal(trade.price)
        yield trade.side, trade.type, trade.symbol, *numbers, "would fill at once"
    for order in plan.account.orders.open_orders:
        yield *_order_cells(order), "would wait for its price"
        for exit_ in order.chained:
            yield *_order_cells(exit_), "would appear when the one above fills"


def _order_cells(order: Order) -> tuple[str, ...]:
    price = order.stop_price if order.stop_price is not None else order.price
    shown = "market" if price is None else format_decimal(price)
    return order.side, order.type, order.symbol, format_decimal(order.remaining), shown


def _balances(plan: Plan) -> dict[str, tuple[str, str]]:
    content = plan.account.portfolio.content
    return {
        asset: (format_decimal(held.total), format_decimal(held.available)) for asset, held in content.items()
    }


def _in_json(plan: Plan) -> dict[str, Any]:
    account = plan.account.model_dump(mode="json", exclude_defaults=True)
    return {
        "at": plan.at,
        "outcome": plan.outcome.model_dump(mode="json", exclude_defaults=True),
        "actions": [
            {"id": action.id, "status": action_status(action), "result": action_result(action)}
            for action in plan.state.actions
        ],
        "trades": account.get("trades", []),
        "open_orders": account.get("orders", {}).get("open_orders", []),
        "portfolio": account.get("portfolio", {}).get("content", {}),
    }
