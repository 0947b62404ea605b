"""What a price did over a period, put together from all the candle files of a symbol.

The shortest candles count. Where they have a hole, the next longer ones that reach over it stand for their
whole length, so that a hole never hides what a longer file shows. One that is still running keeps its place
until it has closed: what shorter ones tell behind a hole in it comes with it, and in the right order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.market.bars import Bars, finished_bars, join_bars
from engine.market.candle_holes import Period, holes_in
from engine.market.candles import Candles
from engine.types import Timestamp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RecordedHistory:
    """The bars of a period, and its holes.

    Attributes:
        bars: by closing time, without overlaps.
        unknown: parts of the period of which no candle tells, oldest first.
    """

    bars: Bars
    unknown: Sequence[Period]


def history_of(levels: Sequence[Candles], since: Timestamp, now: Timestamp) -> RecordedHistory:
    """Put together what some candles say.

    Args:
        levels: the candles of each time frame, the shortest first; at least one.
        since: start of the period, UNIX seconds.
        now: its end; candles that are still open then say nothing yet.
    """
    chosen, unknown = _tiled([candles.around(since, now) for candles in levels], [(since, now)])
    bars = [finished_bars(candles, since=since, now=now) for candles in chosen]
    return RecordedHistory(join_bars(bars), unknown)


def _tiled(levels: Sequence[Candles], periods: Sequence[Period]) -> tuple[list[Candles], list[Period]]:
    """Return candles of the levels that lie side by side over the periods, and what they leave open."""
    candles, longer = levels[0], levels[1:]
    holes = [hole for start, end in periods for hole in holes_in(candles, start, end)]
    filling, unknown = _tiled(longer, holes) if longer and holes else ([], holes)
    chosen = _touching(candles, periods)
    for part in filling:
        chosen &= ~_touching(candles, list(zip(part.time.tolist(), part.closed.tolist(), strict=True)))
    own = Candles.from_table(candles.time_frame, candles.table[:, chosen])
    return [own, *filling], unknown


def _touching(candles: Candles, periods: Sequence[Period]) -> NDArray[np.bool_]:
    """Return which candles overlap any of the periods."""
    import numpy as np

    touching = np.zeros(len(candles), dtype=bool)
    for start, end in periods:
        first = int(candles.closed.searchsorted(start, side="right"))
        touching[first : int(candles.time.searchsorted(end, side="left"))] = True
    return touching
