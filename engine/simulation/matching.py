"""When an order fills: one rule per order type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Protocol

from engine.exchange.bars import Bars
from engine.exchange.market import Liquidity
from engine.state import Order, OrderType
from engine.types import Price

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Phase(IntEnum):
    """Where within a bar a price is reached: bars are walked low first, then high, then close."""

    LOW = 0
    HIGH = 1
    CLOSE = 2


@dataclass(frozen=True, slots=True)
class Touch:
    """The first moment of some bars at which an order fills."""

    bar: int
    phase: Phase
    price: Price
    liquidity: Liquidity


class Rule(Protocol):
    """How one type of order fills."""

    def first_touch(self, order: Order, bars: Bars) -> Touch | None:
        """Return when the order, open since its creation, fills within the bars; None if it does not."""
        ...


class LimitRule:
    """A resting limit order fills whole and at its limit, as maker, once the price reaches it."""

    def first_touch(self, order: Order, bars: Bars) -> Touch | None:
        """Return the first bar that reaches the limit."""
        if order.price is None:
            return None
        limit = float(order.price)
        if order.side == "buy":
            extreme, at_extreme, at_close = Phase.LOW, bars.low <= limit, bars.close <= limit
        else:
            extreme, at_extreme, at_close = Phase.HIGH, bars.high >= limit, bars.close >= limit
        # Of the bar in which the order was created only the close is known to be after it.
        whole = bars.opened >= order.created_at
        index = first_true((at_extreme & whole) | (at_close & (bars.closed > order.created_at)))
        if index is None:
            return None
        phase = extreme if whole[index] else Phase.CLOSE
        return Touch(index, phase, order.price, "maker")


RULES: Final[Mapping[OrderType, Rule]] = {"limit": LimitRule()}
"""Order types that rest. Market orders are not among them: they fill where they are placed."""


def crosses(order: Order, mark_price: Price) -> bool:
    """Whether a limit order would take from the book at this price instead of resting in it."""
    if order.type != "limit" or order.price is None:
        return False
    return mark_price <= order.price if order.side == "buy" else mark_price >= order.price


def first_true(flags: NDArray[np.bool_]) -> int | None:
    """Return the index of the first true flag."""
    if not len(flags):
        return None
    index = int(flags.argmax())
    return index if flags[index] else None
