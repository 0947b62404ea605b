"""`LiveSource`: public data for a live account, through the account's own client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

from engine.exchanges import Client
from engine.live.venue.wire import Wire
from engine.market import PublicCaches, PublicSource, Ticker
from engine.state import ExchangeDetails
from engine.types import Symbol, Timestamp

T = TypeVar("T")


class LiveSource(PublicSource):
    """Shares the process's markets and candles, but never a ticker: live orders are sized by it.

    Args:
        details: the exchange.
        wire: sends the requests, and belongs to whoever opened it.
        caches: shared data.
    """

    def __init__(self, details: ExchangeDetails, wire: Wire, caches: PublicCaches) -> None:
        super().__init__(details, caches)
        self._wire = wire

    async def tickers(self, symbols: Collection[Symbol], *, now: Timestamp) -> Mapping[Symbol, Ticker]:
        """Return tickers as they are now.

        Raises:
            RetryableError, PostponedError: as reads do.
        """
        return await self._fetch_tickers(symbols, now) if symbols else {}

    async def _read(self, request: Callable[[Client], Awaitable[T]]) -> T:
        return await self._caches.unless_banned(self._scope, lambda: self._wire.read(request))
