"""Process-wide caches of public market data: bounded, with single flight, never anything of an account."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from cachetools import LRUCache, TTLCache

from engine.errors import PostponedError, RetryableError
from engine.exchanges import RATE_LIMITED
from engine.market.candles import Candles
from engine.market.funding import FundingRate
from engine.market.market_protocols import Ticker
from engine.market.public_funding import LEAST_HOURS, Hours
from engine.market.public_markets import MarketList
from engine.state import ExchangeDetails
from engine.types import Seconds, Symbol, TimeFrame, Timestamp

T = TypeVar("T")

MARKETS_AGE: Final[Seconds] = 12 * 3_600
TICKERS_AGE: Final[Seconds] = 300
"""How long a price can serve as fallback when the exchange does not answer."""

TICKERS_PER_EXCHANGE: Final = 2_000
"""As many as the largest exchanges have markets: automations on many pairs do not push each other out."""

CANDLES_AGE: Final[Seconds] = 60
CLOCK_AGE: Final[Seconds] = 3_600
"""How long a measured clock difference is believed; clocks drift by some milliseconds in an hour."""

CLOCK_TOLERANCE: Final[Seconds] = 60
"""Invocations of one process do not run in the order of their `now`."""


class CacheScope(NamedTuple):
    """Whose data it is; two accounts of one scope see the same public data."""

    exchange_id: str | None
    kind: str
    sandboxed: bool
    url: str | None


def scope_of(details: ExchangeDetails) -> CacheScope:
    """Return the scope of an exchange's public data."""
    return CacheScope(details.internal_name, details.exchange_type, details.sandboxed, details.url)


@dataclass(frozen=True, slots=True)
class _CandleEntry:
    candles: Candles
    count: int
    fetched_at: Timestamp
    expires_at: Timestamp

    def is_fresh(self, now: Timestamp) -> bool:
        return self.fetched_at - CLOCK_TOLERANCE <= now < self.expires_at


@dataclass(frozen=True, slots=True)
class _FundingEntry:
    hours: Hours
    rates: Sequence[FundingRate]


class PublicCaches:
    """The caches of a process.

    Args:
        timer: seconds of a monotonic clock, for the ages of markets and tickers.
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._markets: TTLCache[CacheScope, MarketList] = TTLCache(50, MARKETS_AGE, timer)
        self._in_vain: TTLCache[tuple[CacheScope, Symbol], bool] = TTLCache(500, MARKETS_AGE, timer)
        self._tickers: LRUCache[CacheScope, TTLCache[Symbol, Ticker]] = LRUCache(50)
        self._candles: LRUCache[tuple[CacheScope, Symbol, TimeFrame], _CandleEntry] = LRUCache(512)
        self._funding: LRUCache[tuple[CacheScope, Symbol], _FundingEntry] = LRUCache(512)
        self._timer = timer
        self._bans: LRUCache[CacheScope, float] = LRUCache(50)
        self._clocks: TTLCache[CacheScope, Seconds] = TTLCache(50, CLOCK_AGE, timer)
        self._timer = timer
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def unless_banned(self, scope: CacheScope, request: Callable[[], Awaitable[T]]) -> T:
        """Request something, unless the exchange has asked for a pause that is not over yet.

        A ban is of this machine's address, so that all who ask wait for its end, and nobody makes it longer.

        Raises:
            RetryableError: `rate_limited`, with the seconds that are left; whatever the request raises.
        """
        left = self._bans.get(scope, 0.0) - self._timer()
        if left > 0:
            raise RetryableError(
                f"{scope.exchange_id} asked for a pause, of which {left:.0f} s are left",
                retry_after=left,
                code=RATE_LIMITED,
            )
        try:
            return await request()
        except RetryableError as error:
            if error.code == RATE_LIMITED and error.retry_after:
                self._bans[scope] = self._timer() + error.retry_after
            raise

    async def market_list(
        self, scope: CacheScope, fetch: Callable[[], Awaitable[MarketList]], missing: Collection[Symbol] = ()
    ) -> MarketList:
        """Return the market list, fetched by one caller while the others wait.

        A symbol that is not in it may have been listed meanwhile: it is fetched again, once per such symbol.
        """
        async with self._single_flight(scope):
            known = self._markets.get(scope)
            news = [
                symbol
                for symbol in missing
                if known and symbol not in known.markets and (scope, symbol) not in self._in_vain
            ]
            if known is None or news:
                known = self._markets[scope] = await fetch()
            for symbol in missing:
                if symbol not in known.markets:
                    self._in_vain[scope, symbol] = True
            return known

    async def tickers(
        self,
        scope: CacheScope,
        symbols: Collection[Symbol],
        now: Timestamp,
        fetch: Callable[[Collection[Symbol]], Awaitable[Mapping[Symbol, Ticker]]],
        *,
        max_age: Seconds,
    ) -> Mapping[Symbol, Ticker]:
        """Return tickers of at most `max_age`; older ones only when the exchange does not answer."""
        async with self._single_flight((scope, "tickers")):
            cached = self._tickers.get(scope)
            if cached is None:
                cached = self._tickers[scope] = TTLCache(TICKERS_PER_EXCHANGE, TICKERS_AGE, self._timer)
            known = {symbol: cached.get(symbol) for symbol in symbols}
            missing = [
                symbol
                for symbol, ticker in known.items()
                if ticker is None or now - ticker.timestamp > max_age
            ]
            fetched: Mapping[Symbol, Ticker] = {}
            if missing:
                try:
                    fetched = await fetch(missing)
                except (RetryableError, PostponedError):
                    if None in known.values():
                        raise
            cached.update(fetched)
            return {symbol: ticker for symbol, ticker in {**known, **fetched}.items() if ticker is not None}

    async def candles(
        self,
        scope: CacheScope,
        symbol: Symbol,
        time_frame: TimeFrame,
        count: int,
        now: Timestamp,
        fetch: Callable[[], Awaitable[Candles]],
    ) -> Candles:
        """Return candles that are at most 60 s old and whose last candle still runs."""
        key = scope, symbol, time_frame
        async with self._single_flight(key):
            entry = self._candles.get(key)
            if entry is None or entry.count < count or not entry.is_fresh(now):
                candles = await fetch()
                expires_at = now + CANDLES_AGE
                if len(candles) and candles.closes_at > now:
                    expires_at = min(expires_at, candles.closes_at)
                entry = self._candles[key] = _CandleEntry(candles, count, now, expires_at)
            return entry.candles

    async def funding(
        self,
        scope: CacheScope,
        symbol: Symbol,
        hours: Hours,
        fetch: Callable[[Hours], Awaitable[Sequence[FundingRate]]],
    ) -> Sequence[FundingRate]:
        """Return the funding of some hours, asked for once: what was paid does not change."""
        if hours.start == hours.end:
            return ()
        key = scope, symbol
        async with self._single_flight((key, "funding")):
            entry = self._funding.get(key)
            if entry is None or not entry.hours.cover(hours):
                wide = Hours(min(hours.start, hours.end - LEAST_HOURS), hours.end)
                entry = self._funding[key] = _FundingEntry(wide, await fetch(wide))
            return [known for known in entry.rates if hours.has(known.time)]

    async def clock_difference(
        self, scope: CacheScope, measure: Callable[[], Awaitable[Seconds]], *, anew: bool = False
    ) -> Seconds:
        """Return how far this machine's clock is ahead of the exchange's, measured once per exchange.

        Args:
            scope: the exchange.
            measure: asks the exchange.
            anew: whether to measure although it is known.
        """
        async with self._single_flight((scope, "clock")):
            if anew or scope not in self._clocks:
                self._clocks[scope] = await measure()
            return self._clocks[scope]

    def known_clock_difference(self, scope: CacheScope) -> Seconds:
        """Return the difference as last measured; 0 before."""
        return self._clocks.get(scope, 0.0)

    def _single_flight(self, key: Hashable) -> asyncio.Lock:
        # A lock belongs to one event loop; callers of another one fetch for themselves.
        return self._locks.setdefault((asyncio.get_running_loop(), key), asyncio.Lock())


PROCESS_CACHES: Final = PublicCaches()
