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
        """Return the last price that is known at an instant: the bars' first one, if all ended later."""
        ended = int(self.closed.searchsorted(instant, side="right"))
        return float(self.close[ended - 1] if ended else self.open[0])


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
    """Return the bar of the instant `now`: nothing but the price."""
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
