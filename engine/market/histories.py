"""What a price did over a period, put together of candles of several time frames, holes told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from engine.market.bars import Bars
from engine.market.time_frames import opening
from engine.types import Symbol, TimeFrame, Timestamp

Span = tuple[Timestamp, Timestamp]
"""Start and end, UNIX seconds."""


def holes(parts: Sequence[Bars], since: Timestamp, until: Timestamp) -> list[Span]:
    """Return the stretches of a period that no bar is about, oldest first."""
    import numpy as np  # numpy takes 0.15 s to import; only accounts with open orders need it

    if until <= since:
        return []
    opened = np.concatenate([[since], *(part.opened for part in parts), [until]])
    closed = np.concatenate([[since], *(part.closed for part in parts), [until]])
    order = opened.argsort(kind="stable")
    opened, known = opened[order], np.maximum.accumulate(closed[order])
    starts, ends = known[:-1].clip(since, until), opened[1:].clip(since, until)
    return [(float(start), float(end)) for start, end in zip(starts, ends, strict=True) if start < end]


def known_until(time_frame: TimeFrame, now: Timestamp) -> Timestamp:
    """Return until when candles ought to say what happened: the one that runs at `now` need not."""
    return opening(time_frame, now, -1)


def bars_within(bars: Bars, spans: Sequence[Span]) -> Bars:
    """Return the bars that say something of one of the stretches."""
    import numpy as np

    kept = np.zeros(len(bars), dtype=bool)
    for start, end in spans:
        kept |= (bars.opened < end) & (bars.closed > start)
    return Bars(
        bars.opened[kept],
        bars.closed[kept],
        bars.open[kept],
        bars.low[kept],
        bars.high[kept],
        bars.close[kept],
    )


def told(symbol: Symbol, missing: Sequence[Span]) -> str:
    """Return, for people, that it is not known what a price did, and when."""
    start, end = missing[0]
    more = f" and {len(missing) - 1} times more" if len(missing) > 1 else ""
    return (
        f"{symbol}: there are no candles from {_date(start)} to {_date(end)}{more}; "
        "what orders the price would have filled then is not known"
    )


def _date(time: Timestamp) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
