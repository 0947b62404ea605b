"""When an order is reached by the price: one row per order type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from engine.market import Bars, Liquidity
from engine.money import to_decimal
from engine.orders.options import trailing_stop
from engine.state import Order, OrderType, Side
from engine.types import Price, Timestamp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Phase(IntEnum):
    """Where within a bar something happens: bars are walked low first, then high; of a part, the close."""

    OPEN = 0
    LOW = 1
    HIGH = 2
    CLOSE = 3


class BarMoment(NamedTuple):
    """A point in some bars."""

    bar: int
    phase: Phase


START: Final = BarMoment(-1, Phase.CLOSE)
"""Before the first bar."""


@dataclass(frozen=True, slots=True)
class Touch:
    """That the price reaches an order: when, and at which price the order is carried out then."""

    at: BarMoment
    price: Price
    liquidity: Liquidity


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


def is_reached(order: Order, price: Price) -> bool:
    """Whether a price is where an open order waits for it, or beyond."""
    falls = rule_of(order).waits_for_fall(order.side)
    return price <= level_of(order) if falls else price >= level_of(order)


def lies_beyond(order: Order, other: Order) -> bool:
    """Whether the price passes the level of the other order before it comes to this one's."""
    falls = rule_of(order).waits_for_fall(order.side)
    if falls != rule_of(other).waits_for_fall(other.side):
        return False
    return level_of(order) < level_of(other) if falls else level_of(order) > level_of(other)


def first_touch(order: Order, bars: Bars, after: BarMoment = START) -> Touch | None:
    """Return when the price first reaches an order that stays as it is.

    A bar that opened before the order existed counts with its close only: the rest of it may have happened
    before.

    Args:
        order: its level is looked for from its creation on.
        bars: what the price did.
        after: the moment from which the order takes part.
    """
    rule, level = rule_of(order), level_of(order)
    falls, limit = rule.waits_for_fall(order.side), float(level)
    first = after.bar + 1
    if after.phase is Phase.LOW and _holds(bars.high[after.bar], limit, falls=falls):
        return Touch(BarMoment(after.bar, Phase.HIGH), level, rule.liquidity)
    opened, closed = bars.opened[first:], bars.closed[first:]
    extreme, close = (bars.low if falls else bars.high)[first:], bars.close[first:]
    whole = opened >= order.created_at
    hits = extreme <= limit if falls else extreme >= limit
    if not whole.all():
        at_close = close <= limit if falls else close >= limit
        hits = (hits & whole) | (at_close & (closed > order.created_at))
    index = first_true(hits)
    if index is None:
        return None
    return _touch(order, rule, level, bars, first + index, is_whole=bool(whole[index]))


def _touch(order: Order, rule: Rule, level: Price, bars: Bars, bar: int, *, is_whole: bool) -> Touch:
    """Describe the touch of a bar that is known to reach the level."""
    falls, limit = rule.waits_for_fall(order.side), float(level)
    if not is_whole:
        phase, known = Phase.CLOSE, float(bars.close[bar])
    else:
        phase = Phase.LOW if _holds(bars.low[bar], limit, falls=falls) else Phase.HIGH
        known = float(bars.open[bar])
    jumped = rule.liquidity == "taker" and _holds(known, limit, falls=falls)
    return Touch(BarMoment(bar, phase), to_decimal(known) if jumped else level, rule.liquidity)


def _holds(price: float, limit: float, *, falls: bool) -> bool:
    return bool(price <= limit if falls else price >= limit)


def trail(
    order: Order, bars: Bars, since: Timestamp, floor: Callable[[Price], Price]
) -> tuple[Touch | None, Price]:
    """Follow the price with a trailing stop.

    Args:
        order: the trailing stop.
        bars: what the price did.
        since: when the stop was last brought up to date.
        floor: cuts a price down to the market's step.

    Returns:
        When it is reached, if it is, and the stop price at the end.
    """
    assert order.stop_price is not None
    assert order.trailing_percent is not None
    rule, stop = rule_of(order), order.stop_price
    falls = rule.waits_for_fall(order.side)
    for at, price, known in _walk(bars, since):
        if _holds(price, float(stop), falls=falls):
            jumped = _holds(known, float(stop), falls=falls)
            return Touch(at, to_decimal(known) if jumped else stop, rule.liquidity), stop
        anchored = floor(trailing_stop(to_decimal(price), order.trailing_percent, order.side))
        stop = max(stop, anchored) if falls else min(stop, anchored)
    return None, stop


def _walk(bars: Bars, since: Timestamp) -> Iterator[tuple[BarMoment, float, float]]:
    """Yield each known price after `since`: its moment, the price, and the first known price of its bar."""
    columns = (bars.opened, bars.closed, bars.open, bars.low, bars.high, bars.close)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for bar, (opened, closed, opening, low, high, close) in enumerate(rows):
        if opened >= since:
            yield BarMoment(bar, Phase.LOW), low, opening
            yield BarMoment(bar, Phase.HIGH), high, opening
        elif closed > since:
            yield BarMoment(bar, Phase.CLOSE), close, close


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
