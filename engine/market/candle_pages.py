"""Candles of an exchange, page by page: however many it gives in one answer.

How many that is, is seen from what it answers; nothing is assumed of an exchange.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from engine.errors import ConfigurationError
from engine.market.candles import Candles
from engine.market.public_answers import readable_rows
from engine.market.time_frames import closes_at, opening
from engine.types import TimeFrame, Timestamp

MOST_CANDLES: Final = 10_000
"""Fetched at most for one symbol and time frame."""

_MOST_REQUESTS: Final = 100
_LARGEST_PAGE: Final = 1_000
"""What most exchanges give in one answer, and none is asked for more."""

_SMALLEST_PAGE: Final = 50
"""Every exchange gives so many in one answer if it has them."""

Row = tuple[float, ...]
FetchPage = Callable[[Timestamp | None, int], Awaitable[Sequence[Sequence[Any]]]]
"""From the opening of the first candle (None for the newest ones) and a number of candles to rows of ccxt."""


async def newest_candles(fetch: FetchPage, time_frame: TimeFrame, count: int) -> Candles:
    """Return the newest candles of an exchange, as far as it has and gives them.

    Pages are asked for from the newest back. It ends where an answer has nothing that is older.

    Args:
        fetch: asks the exchange for one page.
        time_frame: length of the candles.
        count: how many are wanted; at most 10,000 are fetched.
    """
    pages = _Pages(fetch, time_frame)
    await pages.reach(min(count, MOST_CANDLES))
    return Candles.from_rows(time_frame, pages.newest(count))


class _Pages:
    """What has been fetched so far."""

    def __init__(self, fetch: FetchPage, time_frame: TimeFrame) -> None:
        self._fetch = fetch
        self._time_frame = time_frame
        self._rows: dict[Timestamp, Row] = {}
        self._requests = 0

    def newest(self, count: int) -> list[Row]:
        return [self._rows[time] for time in sorted(self._rows)[-count:]]

    async def reach(self, count: int) -> None:
        page = len(await self._ask(None, min(count, _LARGEST_PAGE)))
        if page >= min(count, _SMALLEST_PAGE):
            with suppress(ConfigurationError):  # an exchange may refuse to tell of times so far back
                await self._go_back(count, page)

    async def _go_back(self, count: int, page: int) -> None:
        while len(self._rows) < count and self._requests < _MOST_REQUESTS:
            oldest, asked = min(self._rows), min(count - len(self._rows), page)
            given = await self._ask(opening(self._time_frame, oldest, -asked), asked)
            older = [time for time in given if time < oldest]
            if not older:
                return
            await self._join(max(older), oldest, asked)

    async def _join(self, newest: Timestamp, known: Timestamp, asked: int) -> None:
        """Fetch what lies between an older page and the known candles: the answer may have been cut short."""
        while self._requests < _MOST_REQUESTS:
            start = closes_at(self._time_frame, newest)
            if start >= known:
                return
            between = [time for time in await self._ask(start, asked) if newest < time < known]
            if not between:
                return  # nothing was traded, or the exchange has a hole
            newest = max(between)

    async def _ask(self, since: Timestamp | None, count: int) -> Sequence[Timestamp]:
        """Ask for one page, keep it, and return when its candles open."""
        self._requests += 1
        rows = readable_rows(await self._fetch(since, count))
        self._rows |= {row[0]: row for row in rows}
        return [row[0] for row in rows]
