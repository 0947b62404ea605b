"""`Bars`: what a price did over a period, in finished pieces of any length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.market.candles import Candles
from engine.types import Timestamp

if TYPE_CHECKING:
    from engine.market.candles import Series


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Finished pieces of a price's history, by closing time; they may overlap where a shorter one refines.

    Attributes:
        opened: UNIX seconds at which each bar begins.
        closed: UNIX seconds at which it ends.
        open, low, high, close: prices within it.
        missing: starts and ends of the stretches that nothing is known of, UNIX seconds.
    """

    opened: Series
    closed: Series
    open: Series
    low: Series
    high: Series
    close: Series
    missing: tuple[tuple[Timestamp, Timestamp], ...] = ()

    def __len__(self) -> int:
        return len(self.closed)

    def price_at(self, instant: Timestamp) -> float:
        """Return the last price that is known at an instant: the bars' first one, if all opened later."""
        bar = int(self.opened.searchsorted(instant, side="right")) - 1
        if bar < 0:
            return float(self.open[0])
        return float(self.close[bar] if self.closed[bar] <= instant else self.open[bar])

    def first_since(self, instant: Timestamp) -> int:
        """Return the index of the first bar that opens at an instant or later, or closes after it."""
        return int(min(self.opened.searchsorted(instant), self.closed.searchsorted(instant, side="right")))

    def without_overlaps(self) -> Bars:
        """Return the bars without those that shorter ones tell more of; bars and gaps are left in order."""
        if (self.opened[1:] >= self.closed[:-1]).all():
            return self
        kept: list[int] = []
        for bar in range(len(self) - 1, -1, -1):
            if kept and self.closed[bar] > self.opened[kept[-1]]:
                longer = max(bar, kept[-1], key=lambda one: self.closed[one] - self.opened[one])
                if longer == bar:
                    continue
                kept.pop()
            kept.append(bar)
        kept.reverse()
        return Bars(
            self.opened[kept],
            self.closed[kept],
            self.open[kept],
            self.low[kept],
            self.high[kept],
            self.close[kept],
            self.missing,
        )


def finished_bars(candles: Candles, *, since: Timestamp, now: Timestamp) -> Bars:
    """Return the candles that closed after `since` and not after `now`."""
    closed = candles.closed
    first, last = closed.searchsorted([since, now], side="right")
    return Bars(
        candles.time[first:last],
        closed[first:last],
        candles.open[first:last],
        candles.low[first:last],
        candles.high[first:last],
        candles.close[first:last],
    )


def price_now(price: float, now: Timestamp) -> Bars:
    """Return the bar of one instant: nothing but the price."""
    import numpy as np  # numpy takes 0.15 s to import; only accounts with open orders need it

    instant, value = np.array([now]), np.array([price])
    return Bars(instant, instant, value, value, value, value)


def join_bars(parts: Sequence[Bars]) -> Bars:
    """Return the bars of all parts by closing time; bars that close together keep the order of the parts."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    closed = np.concatenate([part.closed for part in parts])
    order = closed.argsort(kind="stable")
    return Bars(
        np.concatenate([part.opened for part in parts])[order],
        closed[order],
        np.concatenate([part.open for part in parts])[order],
        np.concatenate([part.low for part in parts])[order],
        np.concatenate([part.high for part in parts])[order],
        np.concatenate([part.close for part in parts])[order],
        tuple(stretch for part in parts for stretch in part.missing),
    )
