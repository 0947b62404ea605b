"""When candles open and close: the grid of each time frame.

A candle is finished when the next one of its grid opens. Rows say when each candle opens, so days and weeks
begin where the exchange's do. Months are those of the calendar in UTC; an exchange whose months begin some
hours off, with its days, keeps that distance.
"""

from __future__ import annotations

import calendar
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, overload

from engine.types import TIME_FRAMES, TimeFrame, Timestamp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Series = NDArray[np.float64]

MONTH: Final = TimeFrame("1M")
_DAY: Final = 86_400.0
_SHORTEST_MONTH: Final = 28 * _DAY
_LONGEST_MONTH: Final = 31 * _DAY


@overload
def closes_at(time_frame: TimeFrame, opened_at: Timestamp) -> Timestamp: ...
@overload
def closes_at(time_frame: TimeFrame, opened_at: Series) -> Series: ...
def closes_at(time_frame: TimeFrame, opened_at: Timestamp | Series) -> Timestamp | Series:
    """Return when candles close, UNIX seconds: when the next one of the grid opens.

    Args:
        time_frame: their length.
        opened_at: when they open, UNIX seconds; one instant, or an array of any shape.
    """
    if time_frame != MONTH:
        return opened_at + TIME_FRAMES[time_frame]
    if isinstance(opened_at, int | float):
        return opening(time_frame, opened_at, 1)
    import numpy as np  # numpy takes 0.15 s to import; automations without candles never need it

    months = (opened_at + _DAY).astype("datetime64[s]").astype("datetime64[M]")
    begins, ends = (month.astype("datetime64[s]").astype(np.float64) for month in (months, months + 1))
    offset = opened_at - begins
    return np.where(np.abs(offset) <= _DAY, ends + offset, ends)


def opening(time_frame: TimeFrame, opened_at: Timestamp, later: int) -> Timestamp:
    """Return when the candle opens that is `later` candles behind another one, or before it if negative.

    A month that is first told of in its middle counts as the whole one.
    """
    if time_frame != MONTH:
        return opened_at + later * TIME_FRAMES[time_frame]
    day = datetime.fromtimestamp(opened_at + _DAY, UTC)
    begins = _month(day.year, day.month - 1)
    offset = opened_at - begins
    return _month(day.year, day.month - 1 + later) + (offset if abs(offset) <= _DAY else 0)


def candles_later(time_frame: TimeFrame, opened_at: Timestamp, instant: Timestamp) -> int:
    """Return how many candles an instant is behind the candle that opens at `opened_at`."""
    if time_frame != MONTH:
        return math.floor((instant - opened_at) / TIME_FRAMES[time_frame])
    count = math.floor((instant - opened_at) / _LONGEST_MONTH)
    while opening(time_frame, opened_at, count + 1) <= instant:
        count += 1
    return count


def most_candles(time_frame: TimeFrame, since: Timestamp, until: Timestamp) -> int:
    """Return how many candles can have been open between two instants, at most."""
    length = _SHORTEST_MONTH if time_frame == MONTH else TIME_FRAMES[time_frame]
    return math.floor(max(0.0, until - since) / length) + 2


def _month(year: int, month: int) -> Timestamp:
    """Return when a month begins; it is counted from 0, on into other years."""
    years, month = divmod(month, 12)
    return float(calendar.timegm((year + years, month + 1, 1, 0, 0, 0)))
