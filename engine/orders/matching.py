"""When an order is reached by the price: one row per order type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from engine.market import Bars, Liquidity
from engine.state import Order, OrderType, Side
from engine.types import Price, Timestamp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rule:
    """How one type of order is reached.

    Attributes:
        buys_when: whether a buy waits for the price to fall to its level or to rise to it; sells mirror it.
        liquidity: of the fill; a taker's price is the market's where that has jumped beyond the level.
        becomes_limit: the order does not fill but becomes a limit order.
        trails: the level follows the best price.
    """

    buys_when: Literal["falls", "rises"]
    liquidity: Liquidity = "taker"
    becomes_limit: bool = False
    trails: bool = False

    def waits_for_fall(self, side: Side) -> bool:
        """Whether an order of this side waits for a lower price."""
        return (self.buys_when == "falls") == (side == "buy")


RULES: Final[Mapping[OrderType, Rule]] = {
    "limit": Rule("falls", "maker"),
    "stop_loss": Rule("rises"),
    "stop_limit": Rule("rises", becomes_limit=True),
    "take_profit": Rule("falls"),
    "take_profit_limit": Rule("falls", becomes_limit=True),
    "trailing_stop": Rule("rises", trails=True),
}
"""Order types that rest. Market orders are not among them: they fill where they are placed."""


def rule_of(order: Order) -> Rule:
    """Return the rule that an open order follows; one whose stop was reached is a limit order."""
    return RULES["limit" if order.stop_price is None else order.type]


def level_of(order: Order) -> Price:
    """Return the price that an open order waits for."""
    level = order.price if order.stop_price is None else order.stop_price
    assert level is not None, "orders without a price fill where they are placed"
    return level


def waits_for_fall(order: Order) -> bool:
    """Whether an open order waits for a lower price, and not for a higher one."""
    return rule_of(order).waits_for_fall(order.side)


def is_reached(order: Order, price: Price) -> bool:
    """Whether a price is where an open order waits for it, or beyond."""
    return price <= level_of(order) if waits_for_fall(order) else price >= level_of(order)


def first_touch(order: Order, bars: Bars, start: int = 0, since: Timestamp | None = None) -> int | None:
    """Return the index of the first bar that proves that the price reached an order that stays as it is.

    A bar that opened before the order existed proves it with its close only: the rest of it may have happened
    before.

    Args:
        order: its level is looked for.
        bars: what the price did.
        start: index of the first bar to look at.
        since: since when it counts, UNIX seconds; the order's creation by default.
    """
    since = order.created_at if since is None else since
    limit = float(level_of(order))
    if waits_for_fall(order):
        hits, at_close = bars.low[start:] <= limit, bars.close[start:] <= limit
    else:
        hits, at_close = bars.high[start:] >= limit, bars.close[start:] >= limit
    opened = bars.opened[start:]
    whole = opened >= since
    if not whole.all():
        hits = (hits & whole) | (at_close & (bars.closed[start:] > since))
    index = first_true(hits)
    return None if index is None else start + index


def crosses(order: Order, mark_price: Price) -> bool:
    """Whether an order with a limit would take from the book at this price instead of resting in it."""
    if order.price is None or order.stop_price is not None:
        return False
    return mark_price <= order.price if order.side == "buy" else mark_price >= order.price


def first_true(flags: NDArray[np.bool_]) -> int | None:
    """Return the index of the first true flag."""
    if not len(flags):
        return None
    index = int(flags.argmax())
    return index if flags[index] else None
