"""Holes of candles: the parts of a period that none of them tells of."""

from __future__ import annotations

from engine.market.candles import Candles
from engine.types import Timestamp

Period = tuple[Timestamp, Timestamp]


def holes_in(candles: Candles, start: Timestamp, end: Timestamp) -> list[Period]:
    """Return the parts of a period that lie in none of the candles, oldest first."""
    if start >= end:
        return []
    within = candles.around(start, end)
    opened, closed = within.time, within.closed
    if not len(opened):
        return [(start, end)]
    between = (opened[1:] > closed[:-1]).nonzero()[0]
    begins = [start, *closed[between].tolist(), float(closed[-1])]
    ends = [float(opened[0]), *opened[between + 1].tolist(), end]
    found = [(max(start, begun), min(end, over)) for begun, over in zip(begins, ends, strict=True)]
    return [(begun, over) for begun, over in found if begun < over]
