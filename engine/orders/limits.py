"""What an exchange takes in one order: minima, maxima, splitting, dust."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from engine.errors import ActionStatus, OperatorError
from engine.market import Market
from engine.money import ZERO, exact
from engine.types import Amount, Price

MAX_PARTS: Final = 50
DUST_FACTOR: Final = Decimal("1.4")

Part = tuple[Amount, Price]
"""Amount and price of one order, both on the market's ticks."""


@exact
def check_and_adapt(amount: Amount, price: Price, market: Market) -> Sequence[Part]:
    """Cut an order to what the market takes.

    Returns:
        One part per order: none when the order is below a minimum (or, on markets that bound prices
        but not costs, outside the price bounds); several when it is above a maximum, the remainder
        first. A remainder below the minimum is left out: no exchange would take it.

    Raises:
        OperatorError: `invalid_order`, when more than 50 orders would be needed.
    """
    floored, at_price = market.floor_amount(amount), market.floor_price(price)
    if not _is_large_enough(floored, price, market):
        return ()
    if not market.cost.is_given and not market.price.contains(price):
        return ()
    count, remainder, part = _split(amount, price, market)
    if count == 0:
        return ((floored, at_price),)
    if count + bool(remainder) > MAX_PARTS:
        raise OperatorError(
            ActionStatus.INVALID_ORDER,
            f"{amount} {market.base} at {price} would take more than {MAX_PARTS} orders of {market.symbol}; "
            f"order at most {part * MAX_PARTS} {market.base} at once",
        )
    first = ((remainder, at_price),) if remainder else ()
    return first + ((part, at_price),) * count


def _is_large_enough(amount: Amount, price: Price, market: Market) -> bool:
    if amount <= 0 or price <= 0 or amount < (market.amount.minimum or ZERO):
        return False
    return amount * price >= (market.cost.minimum or ZERO)


def _split(amount: Amount, price: Price, market: Market) -> tuple[int, Amount, Amount]:
    """Return how many full parts, the remainder that is large enough or 0, and a part; 0 parts: no split."""
    most, most_cost = market.amount.maximum, market.cost.maximum
    if most_cost is not None and (most is None or most_cost < most * price):
        # The remainder is counted in quote, so that it does not inherit the rounding of the parts.
        whole, full, scale = amount * price, most_cost, price
    elif most is not None:
        whole, full, scale = amount, most, Decimal(1)
    else:
        return 0, ZERO, ZERO
    if whole <= full:
        return 0, ZERO, ZERO
    count = int(whole // full)
    remainder = market.floor_amount((whole - count * full) / scale)
    if not _is_large_enough(remainder, price, market):
        remainder = ZERO
    return count, remainder, market.floor_amount(full / scale)


@exact
def sweep_dust(amount: Amount, price: Price, holding: Amount, market: Market) -> Amount:
    """Return the amount to sell: everything when less than 1.4 × the minimum order would be left over."""
    left = holding - amount
    return holding if 0 < left < DUST_FACTOR * market.smallest_amount(price) else amount
