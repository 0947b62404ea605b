"""Which bar may be the first to reach an order, found without walking the others."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from typing import Final, NamedTuple

from engine.market import Bars
from engine.orders import first_true, level_of, waits_for_fall
from engine.state import Order
from engine.types import Timestamp

MANY_ORDERS: Final = 16
"""From so many on, it pays to know how far the price has come by each bar."""


class FirstTouch(NamedTuple):
    """A bar that may reach an order.

    Attributes:
        bar: its index.
        after_open: whether it takes more of it than its open.
    """

    bar: int
    after_open: bool


class TouchFinder:
    """Finds first touches in bars that do not overlap.

    Args:
        bars: what the price of a symbol did.
        has_many: whether many orders will be looked for.
    """

    def __init__(self, bars: Bars, *, has_many: bool) -> None:
        self._bars = bars
        self._has_many = has_many

    def find(self, order: Order, start: int, since: Timestamp) -> FirstTouch | None:
        """Return the first bar from `start` on that may reach an order which is valid since then.

        Of bars that opened before, only the close counts.
        """
        bars, falls, limit = self._bars, waits_for_fall(order), float(level_of(order))
        if start < len(bars) and bars.opened.item(start) < since:
            start = max(start, bars.first_since(since))
            while start < len(bars) and bars.opened[start] < since:
                if bars.close[start] <= limit if falls else bars.close[start] >= limit:
                    return FirstTouch(start, True)
                start += 1
        bar = self._first(start, limit, falls=falls)
        if bar is None:
            return None
        opening = bars.open.item(bar)
        return FirstTouch(bar, opening > limit if falls else opening < limit)

    def _first(self, start: int, limit: float, *, falls: bool) -> int | None:
        if start == 0 and self._has_many:
            bar = bisect_left(self._falls, -limit) if falls else bisect_left(self._rises, limit)
            return bar if bar < len(self._bars) else None
        bars = self._bars
        index = first_true(bars.low[start:] <= limit if falls else bars.high[start:] >= limit)
        return None if index is None else start + index

    @cached_property
    def _falls(self) -> list[float]:
        """The lowest price by each bar, negative, so that it grows."""
        import numpy as np  # numpy takes 0.15 s to import; only accounts with open orders need it

        lowest: list[float] = (-np.minimum.accumulate(self._bars.low)).tolist()
        return lowest

    @cached_property
    def _rises(self) -> list[float]:
        """The highest price by each bar."""
        import numpy as np

        highest: list[float] = np.maximum.accumulate(self._bars.high).tolist()
        return highest
