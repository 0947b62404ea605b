"""Exits of an entry: the stop and the take-profits that hang on it and appear when it fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from engine.market import Market
from engine.money import ZERO, exact
from engine.state import Order, Side
from engine.types import Amount, OrderId, Price, Timestamp

ONE_CANCELS_THE_OTHER: Final = "OneCancelsTheOtherOrderGroup"
BALANCED: Final = "BalancedTakeProfitAndStopOrderGroup"
BALANCED_TRAILING: Final = "TrailingOnFilledTPBalancedOrderGroup"
"""Kinds of groups; `Order.group` is the kind, a colon and the id of the entry."""


@dataclass(frozen=True, slots=True)
class TakeProfit:
    """One take-profit: a price (quote per base), and the share of the entry that it closes (0 to 1)."""

    price: Price
    share: Fraction


@dataclass(frozen=True, slots=True)
class Exits:
    """What closes an entry again.

    Attributes:
        stop: price at which all of it is given up; None for no stop.
        take_profits: in the order in which they were asked for.
        trails: whether each filled take-profit moves the stop: to the entry's price, then to the take-profit
            before.
        swap_strategy: which of them stands in the book on an exchange that cannot hold both.
    """

    stop: Price | None = None
    take_profits: tuple[TakeProfit, ...] = ()
    trails: bool = False
    swap_strategy: str | None = None

    @property
    def group_kind(self) -> str | None:
        """What ties the exits together; None when there is nothing to tie."""
        if self.stop is None or not self.take_profits:
            return None
        if self.trails:
            return BALANCED_TRAILING
        return ONE_CANCELS_THE_OTHER if len(self.take_profits) == 1 else BALANCED


NO_EXITS: Final = Exits()


def chained_orders(
    entry: Order, entry_price: Price, exits: Exits, market: Market, order_id: Callable[[str], OrderId]
) -> list[Order]:
    """Return the orders that appear when the entry fills, the stop first; a fee in base is not off yet.

    Args:
        entry: the order they hang on.
        entry_price: its expected price, where a trailing stop moves first.
        exits: what was asked for.
        market: of the entry.
        order_id: gives the deterministic id of each.
    """
    side: Side = "sell" if entry.side == "buy" else "buy"
    group = exits.group_kind and f"{exits.group_kind}:{entry.id}"
    common = {
        "symbol": entry.symbol,
        "side": side,
        "tag": entry.tag,
        "group": group,
        "reduce_only": market.kind == "future",
    }
    orders = []
    if exits.stop is not None:
        ladder = [entry_price, *(one.price for one in exits.take_profits[:-1])] if exits.trails else []
        orders.append(
            Order(
                id=order_id("stop"),
                type="stop_loss",
                amount=entry.amount,
                stop_price=exits.stop,
                stop_ladder=ladder,
                **common,
            )
        )
    amounts = take_profit_amounts(entry.amount, [one.share for one in exits.take_profits], market)
    for number, (take_profit, amount) in enumerate(zip(exits.take_profits, amounts, strict=True), start=1):
        orders.append(
            Order(
                id=order_id(f"tp{number}"),
                type="limit",
                amount=amount,
                price=take_profit.price,
                **common,
            )
        )
    return orders


@exact
def take_profit_amounts(amount: Amount, shares: Sequence[Fraction], market: Market) -> list[Amount]:
    """Return what each take-profit closes; the last of those that close everything absorbs rounding."""
    amounts = [market.floor_amount(amount * share.numerator / share.denominator) for share in shares]
    if sum(shares) == 1:
        amounts[-1] = market.floor_amount(amount) - sum(amounts[:-1], ZERO)
    return amounts


@exact
def opened_exits(entry: Order, market: Market, at: Timestamp) -> list[Order]:
    """Return an entry's chained orders as they appear when it has filled, net of a fee that it paid in base.

    Orders that the fee leaves nothing of, or less than the market takes, do not appear.
    """
    if not entry.chained:
        return []
    fee = entry.fee.cost if entry.fee and entry.fee.currency == market.base and entry.side == "buy" else ZERO
    net = market.floor_amount(entry.filled - fee)
    if net <= 0:
        return []
    profits = [order for order in entry.chained if order.stop_price is None]
    shares = [Fraction(order.amount) / Fraction(entry.amount) for order in profits]
    amounts = dict(
        zip((order.id for order in profits), take_profit_amounts(net, shares, market), strict=True)
    )
    opened = [
        order.model_copy(update={"amount": amounts.get(order.id, net), "created_at": at})
        for order in entry.chained
    ]
    return [
        order
        for order in opened
        if order.amount >= market.smallest_amount(order.price or ZERO) and order.amount > 0
    ]
