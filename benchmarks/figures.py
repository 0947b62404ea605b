"""How a figure is measured and printed: one JSON line each."""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured number beside the bound it should keep.

    Attributes:
        value: the measured number, in `unit`.
        at_most, at_least: the bound; one of them, or none for a number that is only shown.
        peer: what the same run measured beside it; `value` is then the ratio to that.
    """

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    peer: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the bound is kept."""
        above = self.at_most is not None and self.value > self.at_most
        below = self.at_least is not None and self.value < self.at_least
        return not (above or below)

    def line(self) -> str:
        """The figure as one line of JSON."""
        shown = {key: value for key, value in asdict(self).items() if value is not None}
        return json.dumps({**shown, "value": round(self.value, 4), "ok": self.ok})


async def median_ms(work: Callable[[], Awaitable[object]], *, repeat: int) -> float:
    """Return the median duration of a coroutine in ms, warm."""
    return await median_ms_of([work] * (repeat + 1))


async def median_ms_of(works: Sequence[Callable[[], Awaitable[object]]]) -> float:
    """Return the median duration in ms of coroutines that do alike work; the first one only warms up.

    The garbage collector runs before and after, not in between, as around invocations in a worker.
    """
    first, *rest = works
    await first()
    durations = []
    gc.collect()
    gc.disable()
    try:
        for work in rest:
            start = time.perf_counter()
            await work()
            durations.append((time.perf_counter() - start) * 1_000)
    finally:
        gc.enable()
    return statistics.median(durations)
