"""Candles as columns of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from engine.market.time_frames import closes_at
from engine.types import TIME_FRAMES, Seconds, TimeFrame, Timestamp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Series = NDArray[np.float64]

TIME, OPEN, HIGH, LOW, CLOSE, VOLUME = range(6)
COLUMNS: Final = ("time", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Candles of one symbol and time frame, oldest first.

    Attributes:
        time_frame: length of each candle.
        table: read-only float64 of shape (6, n), rows in the order of `COLUMNS`.
        time: when each candle opens, UNIX seconds.
        open, high, low: first, highest and lowest price of each candle.
        close: its last price; of the running one, the price now.
        volume: traded amount, in base.
    """

    time_frame: TimeFrame
    table: Series
    time: Series = field(init=False, repr=False)
    open: Series = field(init=False, repr=False)
    high: Series = field(init=False, repr=False)
    low: Series = field(init=False, repr=False)
    close: Series = field(init=False, repr=False)
    volume: Series = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, row in zip(COLUMNS, self.table, strict=True):
            object.__setattr__(self, name, row)

    @classmethod
    def from_rows(cls, time_frame: TimeFrame, rows: Iterable[Sequence[float]]) -> Candles:
        """Build candles from `(time, open, high, low, close, volume)` rows, time in UNIX seconds."""
        import numpy as np  # numpy takes 0.15 s to import; automations without candles never need it

        table = np.array(list(rows), dtype=np.float64).reshape(-1, len(COLUMNS)).T
        return cls.from_table(time_frame, np.ascontiguousarray(table))

    @classmethod
    def from_table(cls, time_frame: TimeFrame, table: Series) -> Candles:
        """Wrap a table that the caller gives away; it becomes read-only."""
        table.flags.writeable = False
        return cls(time_frame, table)

    def __len__(self) -> int:
        return int(self.table.shape[1])

    @property
    def step(self) -> Seconds:
        """Length of a candle in seconds, by which time frames are put in order; of a month, about."""
        return TIME_FRAMES[self.time_frame]

    @property
    def closed(self) -> Series:
        """When each candle closes, UNIX seconds."""
        return closes_at(self.time_frame, self.time)

    @property
    def opened_at(self) -> Timestamp:
        """When the first candle opens."""
        return float(self.table[TIME, 0])

    @property
    def closes_at(self) -> Timestamp:
        """When the last candle closes."""
        return closes_at(self.time_frame, float(self.table[TIME, -1]))

    def last(self, count: int) -> Candles:
        """Return the newest `count` candles."""
        return Candles(self.time_frame, self.table[:, max(0, len(self) - count) :])

    def opened_until(self, instant: Timestamp) -> Candles:
        """Return the candles that open before an instant or at it."""
        count = int(self.time.searchsorted(instant, side="right"))
        return self if count == len(self) else Candles(self.time_frame, self.table[:, :count])

    def around(self, start: Timestamp, end: Timestamp) -> Candles:
        """Return the candles that open from `start` to `end`, both included, after the newest one before."""
        first, last = self.time.searchsorted([start, end], side="right")
        return Candles(self.time_frame, self.table[:, max(0, first - 1) : last])

    def opened_in(self, start: Timestamp, end: Timestamp) -> Candles:
        """Return the candles that open at or after `start` and before `end`."""
        first, last = self.time.searchsorted([start, end])
        return Candles(self.time_frame, self.table[:, first:last])
