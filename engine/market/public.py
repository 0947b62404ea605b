"""`PublicSource`: live public market data through ccxt, shared by all invocations of the process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

from engine.errors import ConfigurationError
from engine.exchanges import Client, close_client, concurrently, connect, make_client, reading
from engine.market.bars import Bars, finished_bars
from engine.market.candles import Candles
from engine.market.funding import FundingRate
from engine.market.market import Market
from engine.market.market_protocols import Ticker
from engine.market.public_cache import PROCESS_CACHES, PublicCaches, scope_of
from engine.market.public_funding import Hours, due_hours, fetch_funding
from engine.market.public_markets import MarketList, fetch_market_list
from engine.money import to_decimal
from engine.state import ExchangeDetails
from engine.types import TIME_FRAMES, Seconds, Symbol, TimeFrame, Timestamp

T = TypeVar("T")

MILLISECONDS: Final = 1_000
SHARED_TICKER_AGE: Final[Seconds] = 60
"""How old a ticker may be that paper accounts share."""

HISTORY_CANDLES: Final = 1_000
"""What most exchanges give in one request."""


class PublicSource:
    """Public data of one exchange; its client connects when something is not in the process's caches.

    Args:
        details: the exchange; no credentials are used.
        caches: shared data.
    """

    def __init__(self, details: ExchangeDetails, caches: PublicCaches = PROCESS_CACHES) -> None:
        self._details = details
        self._scope = scope_of(details)
        self._caches = caches
        self._open_client: Client | None = None

    async def markets(self, missing: Collection[Symbol] = ()) -> Mapping[Symbol, Market]:
        """Return the exchange's markets, at most 12 hours old; missing ones are looked for again once.

        Raises:
            RetryableError: the exchange does not answer.
            ConfigurationError: ccxt does not know the exchange.
        """
        return (await self._market_list(missing)).markets

    async def candles(self, symbol: Symbol, time_frame: TimeFrame, *, now: Timestamp, count: int) -> Candles:
        """Return up to `count` candles, at most 60 s old and never older than the running candle.

        Raises:
            RetryableError: the exchange does not answer.
        """

        async def fetch() -> Candles:
            rows = await self._read(lambda client: client.fetch_ohlcv(symbol, time_frame, limit=count))
            return Candles.from_rows(
                time_frame, [(row[0] / MILLISECONDS, *map(float, row[1:6])) for row in rows]
            )

        candles = await self._caches.candles(self._scope, symbol, time_frame, count, now, fetch)
        return candles.last(count)

    async def tickers(self, symbols: Collection[Symbol], *, now: Timestamp) -> Mapping[Symbol, Ticker]:
        """Return tickers that are at most 60 s old; missing ones are fetched at once.

        Raises:
            RetryableError: the exchange does not answer.
        """

        async def fetch(missing: Collection[Symbol]) -> Mapping[Symbol, Ticker]:
            return await self._fetch_tickers(missing, now)

        return await self._caches.tickers(self._scope, symbols, now, fetch, max_age=SHARED_TICKER_AGE)

    async def history(
        self, symbol: Symbol, *, since: Timestamp, now: Timestamp, fetched: Collection[TimeFrame]
    ) -> Bars:
        """Return what the price did after `since`, from candles at hand if they reach back so far.

        Raises:
            RetryableError: the exchange does not answer.
        """
        for time_frame in sorted(fetched, key=TIME_FRAMES.__getitem__):
            known = self._caches.known_candles(self._scope, symbol, time_frame, now)
            if known is not None and len(known) and known.opened_at <= since:
                return finished_bars(known, since=since, now=now)
        time_frame = _shortest_reaching_back(now - since, (await self._market_list()).time_frames)
        count = min(int((now - since) // TIME_FRAMES[time_frame]) + 2, HISTORY_CANDLES)
        candles = await self.candles(symbol, time_frame, now=now, count=count)
        return finished_bars(candles, since=since, now=now)

    async def funding(self, symbol: Symbol, *, since: Timestamp, now: Timestamp) -> Sequence[FundingRate]:
        """Return the funding that became known after `since`, a minute after its time.

        Nothing where the exchange does not tell its funding, or refuses to for this symbol.

        Raises:
            RetryableError: the exchange does not answer.
        """

        async def fetch(hours: Hours) -> Sequence[FundingRate]:
            try:
                return await self._read(lambda client: fetch_funding(client, symbol, hours))
            except ConfigurationError:
                return ()

        return await self._caches.funding(self._scope, symbol, due_hours(since, now), fetch)

    async def close(self) -> None:
        """Close the client's connections."""
        client, self._open_client = self._open_client, None
        if client is not None:
            await close_client(client)

    async def _market_list(self, missing: Collection[Symbol] = ()) -> MarketList:
        return await self._caches.market_list(self._scope, lambda: fetch_market_list(self._details), missing)

    async def _fetch_tickers(self, symbols: Collection[Symbol], now: Timestamp) -> Mapping[Symbol, Ticker]:
        answers = await self._read(lambda client: _request_tickers(client, symbols))
        return {symbol: _ticker(symbol, raw, now) for symbol, raw in answers.items() if raw.get("last")}

    async def _read(self, request: Callable[[Client], Awaitable[T]]) -> T:
        """Request something; the errors of ccxt become reactions."""
        client = await self._client()
        with reading(client.id):
            return await request(client)

    async def _client(self) -> Client:
        """Return this source's client, which shares the process's market list."""
        market_list = await self._market_list()
        if self._open_client is None:
            self._open_client = make_client(self._details)
            connect(self._open_client)
            market_list.share_with(self._open_client)
        return self._open_client


async def _request_tickers(client: Client, symbols: Collection[Symbol]) -> Mapping[Symbol, Mapping[str, Any]]:
    if len(symbols) > 1 and client.has.get("fetchTickers"):
        answers: Mapping[Symbol, Mapping[str, Any]] = await client.fetch_tickers(list(symbols))
        return answers
    single: dict[Symbol, Mapping[str, Any]] = {}

    async def request(symbol: Symbol) -> None:
        single[symbol] = await client.fetch_ticker(symbol)

    await concurrently([request(symbol) for symbol in symbols])
    return single


def _ticker(symbol: Symbol, raw: Mapping[str, Any], now: Timestamp) -> Ticker:
    names = {"bid": "bid", "ask": "ask", "high": "high", "low": "low", "volume": "baseVolume"}
    given = {name: to_decimal(raw[key]) for name, key in names.items() if raw.get(key) is not None}
    return Ticker(symbol, close=to_decimal(raw["last"]), timestamp=now, **given)


def _shortest_reaching_back(period: Seconds, offered: tuple[TimeFrame, ...]) -> TimeFrame:
    """Return the shortest time frame of which one request covers the period; else the longest one."""
    reach = HISTORY_CANDLES - 2
    return next((frame for frame in offered if TIME_FRAMES[frame] * reach >= period), offered[-1])
