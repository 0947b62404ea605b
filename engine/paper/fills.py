"""What a fill does to an account: cost, fee, changes of balances, and what an open order locks until then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.market import Liquidity, Market
from engine.money import ZERO, exact
from engine.paper.ledger import Lock
from engine.state import Fee, Order, Side
from engine.types import Amount, Asset, Price, Timestamp


@dataclass(frozen=True, slots=True)
class Fill:
    """That an order is filled: at which price (quote per base), when (UNIX seconds), and how."""

    price: Price
    time: Timestamp
    liquidity: Liquidity


@exact
def fee_of(market: Market, side: Side, amount: Amount, fill: Fill) -> Fee:
    """Return the fee of filling `amount` base; paid in base on a buy and in quote on a sell by default."""
    asset = market.fee_asset(side)
    basis = amount if asset == market.base else amount * fill.price
    return Fee(cost=basis * market.fee_rate(fill.liquidity), currency=asset)


@exact
def balance_changes(
    market: Market, side: Side, amount: Amount, price: Price, fee: Fee
) -> Mapping[Asset, Decimal]:
    """Return what a fill adds to each asset's total."""
    sign = 1 if side == "buy" else -1
    changes = {market.base: sign * amount, market.quote: -sign * amount * price}
    if fee.currency is not None:
        changes[fee.currency] = changes.get(fee.currency, Decimal(0)) - fee.cost
    return changes


@exact
def required_lock(market: Market, order: Order, remaining: Amount) -> Lock | None:
    """Return what an open order locks; an order that waits for its stop price locks nothing.

    A sell locks its remaining base, a buy its remaining cost in quote; with it the dearest fee it may have to
    pay, when that is due in the asset it gives.
    """
    if order.stop_price is not None:
        return None
    return limit_lock(market, order.side, remaining, order.price or ZERO)


@exact
def limit_lock(market: Market, side: Side, remaining: Amount, price: Price) -> Lock:
    """Return what an order locks that may trade `remaining` base at `price`."""
    given = market.quote if side == "buy" else market.base
    amount = remaining * price if side == "buy" else remaining
    if market.fee_asset(side) == given:
        amount += amount * max(market.maker, market.taker)
    return Lock(given, amount)
