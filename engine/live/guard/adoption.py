"""Whether what the exchange has under an intent's key is what was meant, and what it is then in the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from engine.effects import Placed, Refusal
from engine.errors import ActionStatus
from engine.exchanges import Capabilities
from engine.live.venue import OrderReport
from engine.money import ZERO, exact
from engine.state import LIMIT_TYPES, Fee, Order, OrderType
from engine.values import short_decimal

_PRICES_OF: Final[Mapping[OrderType, tuple[str, ...]]] = MappingProxyType(
    {
        "market": ("stop_price",),
        "limit": ("price", "stop_price"),
        "stop_loss": ("stop_price",),
        "stop_limit": ("price", "stop_price"),
        "take_profit": ("stop_price",),
        "take_profit_limit": ("price", "stop_price"),
        "trailing_stop": (),
    }
)
"""Which prices of an order are fixed, so that a report must tell the same, None included.

The price of an order that trades at the market's price is what it filled at, and a trailing stop moves.
"""

_WORDS: Final = (("limit", True), ("market", False))


def differences(order: Order, report: OrderReport, capabilities: Capabilities) -> Sequence[str]:
    """Return in what the exchange's order is not the one that was meant, in words; empty if it is.

    Compared are symbol, side, whether it has a limit, the amount and the fixed prices, all exactly. The
    amount of a market buy is left out where the exchange counts it in quote.
    """
    by_cost = capabilities.market_buys_by_cost and order.type == "market" and order.side == "buy"
    fixed = ("symbol", "side", *(() if by_cost else ("amount",)), *_PRICES_OF[order.type])
    found = [
        f"{name} {_shown(getattr(report, name))} instead of {_shown(getattr(order, name))}"
        for name in fixed
        if getattr(report, name) != getattr(order, name)
    ]
    if _has_limit(report.kind) not in (None, order.type in LIMIT_TYPES):
        found.append(f"type {report.kind} instead of {order.type}")
    return found


def outcome_of(order: Order, report: OrderReport) -> Placed | Refusal:
    """Return what became of an order that the exchange has, or had until it thought better of it."""
    if report.status == "rejected" and not report.filled:
        return Refusal(ActionStatus.INVALID_ORDER, "the exchange took the order and rejected it later")
    return Placed(adopted(order, report))


def adopted(order: Order, report: OrderReport) -> Order:
    """Return the intent's order with what only the exchange knows: its id, its fills, its fee.

    The price of an order without a limit becomes the mean price of its fills. An answer may tell no time (0):
    the order is then as old as its planning.
    """
    changes: dict[str, Any] = {
        "id": report.id,
        "filled": report.filled,
        "status": report.status,
        "created_at": report.created_at or order.created_at,
        "fee": total_fee(report.fees) or order.fee,
    }
    if order.type not in LIMIT_TYPES and report.average is not None:
        changes["price"] = report.average
    return order.model_copy(update=changes)


@exact
def taken_as_it_is(order: Order, report: OrderReport) -> Order:
    """Return an order that a person accepts although it is not the one that was meant.

    Its exits close the same shares of it as they did of that one.
    """
    amount = report.amount or order.amount
    exits = [one.model_copy(update={"amount": one.amount * amount / order.amount}) for one in order.chained]
    theirs = {"symbol": report.symbol, "side": report.side, "amount": amount, "chained": exits}
    prices = {"price": report.price, "stop_price": report.stop_price}
    return adopted(order.model_copy(update={**theirs, **prices}), report)


@exact
def total_fee(fees: Sequence[Fee]) -> Fee | None:
    """Return the sum of the fees that are paid in the same asset as the first one; None without fees."""
    if not fees:
        return None
    currency = fees[0].currency
    return Fee(cost=sum((fee.cost for fee in fees if fee.currency == currency), ZERO), currency=currency)


def _has_limit(kind: str | None) -> bool | None:
    """Return whether an exchange's word for a type means a limit price; None when the word does not tell."""
    return next((has_limit for word, has_limit in _WORDS if kind and word in kind.lower()), None)


def _shown(value: Any) -> str:
    return short_decimal(value) if isinstance(value, Decimal) else str(value)
