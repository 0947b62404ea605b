"""Looks ahead: what one invocation would do, on a paper copy of the account."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from cli.output import moment, table
from cli.reports import action_result, action_status, shorten
from engine.job import AutomationJob, InvocationOutcome, InvocationRequest, Services, apply_configuration
from engine.live import LiveSettings
from engine.state import (
    AuthDetails,
    AutomationState,
    ConfiguredPortfolio,
    ExchangeAccountDetails,
    ExchangeAccountElements,
    Holding,
    Order,
    Portfolio,
    load_state,
)
from engine.types import Timestamp
from engine.values import format_decimal

_WOULD: Final = {
    "done": "would be done",
    "failed": "would fail",
    "waiting": "would wait",
    "pending": "not yet",
}

_HARMFUL: Final = (
    (("exchange_account_details",), "auth_details"),
    (("automation", "metadata"), "emit_signals"),
)
"""What a configuration must not set on a paper copy: the section that it is in, and its name."""


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


def as_configured(state: AutomationState) -> AutomationState:
    """Return an automation as its actions will set it up, whatever else they do before or behind that.

    Raises:
        ConfigurationError: a configuration cannot be applied.
    """
    configured = state.model_copy(deep=True)
    for action in configured.actions:
        if action.is_configuration:
            apply_configuration(configured, action.config or {})
    return configured


def live_account(state: AutomationState) -> ExchangeAccountDetails | None:
    """Return the account that an automation would trade on with real funds; None on paper."""
    return state.exchange_account_details if state.is_live else None


async def real_balances(details: ExchangeAccountDetails, services: Services) -> Portfolio:
    """Return what a live account holds; nothing is sent to the exchange but this question.

    Raises:
        ConfigurationError: the credentials cannot be found.
        PostponedError: the exchange refuses them.
        RetryableError: it does not answer.
    """
    exchange = services.live_exchange(details, LiveSettings())
    try:
        return await exchange.api.portfolio()
    finally:
        await exchange.close()


def on_paper(state: AutomationState, balances: Portfolio | None = None) -> AutomationState:
    """Return a copy without credentials, whose orders are paper orders, and that publishes nothing.

    Args:
        state: of an automation that has not been started.
        balances: what its live account holds. The copy gets what no order locks, because it knows none of
            the orders that others have placed there.
    """
    paper = state.model_copy(deep=True)
    paper.automation.metadata.emit_signals = False
    for action in paper.actions:
        if action.config is not None:
            action.config = _harmless(action.config)
    if paper.exchange_account_details is not None:
        paper.exchange_account_details.auth_details = AuthDetails()
        if balances is not None:
            paper.exchange_account_details.portfolio = ConfiguredPortfolio(
                content=[
                    Holding(asset=asset, total=balance.available)
                    for asset, balance in balances.content.items()
                ]
            )
    return paper


def _harmless(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration that makes no account live and no automation a leader."""
    harmless = copy.deepcopy(dict(config))
    for path, key in _HARMFUL:
        section: Any = harmless
        for name in path:
            section = section.get(name) if isinstance(section, dict) else None
        if isinstance(section, dict):
            section.pop(key, None)
    return harmless


async def look_ahead(paper: AutomationState, services: Services) -> Plan:
    """Return what one invocation would make of a paper copy, now or when its recorded market starts."""
    details = paper.exchange_account_details
    recorded = details.exchange_details.recorded if details is not None else None
    now = recorded.start if recorded is not None and recorded.start is not None else time.time()
    job = AutomationJob(InvocationRequest(state=paper, now=now), services)
    outcome = await job.run()
    return Plan(now, load_state(job.dump()), outcome)


def picture(plan: Plan) -> RenderableType:
    """Return a plan for the eyes: actions, orders, the portfolio afterwards."""
    parts: list[RenderableType] = [
        Text(f"One invocation at {moment(plan.at)} UTC, on paper", style="bold"),
        Text(),
        table("Actions", ["id", "", "result"], list(_action_rows(plan)), cut=["result"]),
    ]
    orders = list(_order_rows(plan))
    if orders:
        columns = ["side", "type", "symbol", "amount", "price", ""]
        parts += [Text(), table("Orders", columns, orders)]
    balances = balance_rows(plan.account.portfolio)
    if balances:
        parts += [Text(), table("Portfolio afterwards", ["asset", "total", "available"], balances)]
    due = plan.outcome.next_due_at
    parts += [Text(), Text(f"Next invocation: {moment(due) + ' UTC' if due is not None else 'none'}")]
    return Group(*parts)


def balance_rows(portfolio: Portfolio) -> list[tuple[str, str, str]]:
    """Return a row for each asset: its code, its total, what of it is available."""
    return [
        (asset, format_decimal(held.total), format_decimal(held.available))
        for asset, held in portfolio.content.items()
    ]


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


def in_json(plan: Plan) -> dict[str, Any]:
    """Return a plan for programs."""
    account = plan.account
    return {
        "at": plan.at,
        "outcome": plan.outcome.model_dump(mode="json", exclude_defaults=True),
        "actions": [
            {"id": action.id, "status": action_status(action), "result": action_result(action)}
            for action in plan.state.actions
        ],
        "trades": [trade.model_dump(mode="json", exclude_defaults=True) for trade in account.trades],
        "open_orders": [
            order.model_dump(mode="json", exclude_defaults=True) for order in account.orders.open_orders
        ],
        "portfolio": {
            asset: balance.model_dump(mode="json", exclude_defaults=True)
            for asset, balance in account.portfolio.content.items()
        },
    }
