"""`PublicSource`: live public market data through ccxt, shared by all invocations of the process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeVar

from engine.errors import ConfigurationError, RetryableError
from engine.exchanges import Client, close_client, concurrently, connect, gathered, make_client, reading
from engine.market.bars import Bars, finished_bars
from engine.market.candle_pages import newest_candles
from engine.market.candles import Candles
from engine.market.funding import FundingRate
from engine.market.histories import Span, bars_within, holes, known_until
from engine.market.market import Market
from engine.market.market_protocols import Ticker
from engine.market.public_answers import MILLISECONDS, ticker_of
from engine.market.public_cache import PROCESS_CACHES, PublicCaches, scope_of
from engine.market.public_funding import Hours, due_hours, fetch_funding
from engine.market.public_markets import MarketList, fetch_market_list
from engine.market.recorded_history import history_of
from engine.market.time_frames import most_candles
from engine.money import to_decimal
from engine.state import ExchangeDetails
from engine.types import TIME_FRAMES, Price, Seconds, Symbol, TimeFrame, Timestamp

T = TypeVar("T")

SHARED_TICKER_AGE: Final[Seconds] = 60
"""How old a ticker may be that paper accounts share."""

HISTORY_CANDLES: Final = 3_000
"""Candles of one time frame that are walked through at most: two days of minutes, ten of five minutes."""

_FILLINGS: Final = 3
"""How many longer time frames are asked about what the shortest one leaves open."""


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

        There are fewer where the exchange has fewer, and 10,000 at most.

        Raises:
            RetryableError: the exchange does not answer.
        """

        async def page(since: Timestamp | None, limit: int) -> Sequence[Sequence[Any]]:
            milliseconds = None if since is None else int(since * MILLISECONDS)
            return await self._read(
                lambda client: client.fetch_ohlcv(symbol, time_frame, since=milliseconds, limit=limit)
            )

        async def fetch() -> Candles:
            return await newest_candles(page, time_frame, count + 1)

        candles = await self._caches.candles(self._scope, symbol, time_frame, count, now, fetch)
        # Another invocation, whose `now` is a little later, may have fetched a candle that is not open yet.
        return candles.opened_until(now).last(count)

    async def tickers(self, symbols: Collection[Symbol], *, now: Timestamp) -> Mapping[Symbol, Ticker]:
        """Return tickers that are at most 60 s old; missing ones are fetched at once.

        Where the exchange tells no price, it is the newest close of its shortest candles.

        Raises:
            RetryableError: the exchange does not answer.
        """

        async def fetch(missing: Collection[Symbol]) -> Mapping[Symbol, Ticker]:
            return await self._tickers_or_closes(missing, now)

        return await self._caches.tickers(self._scope, symbols, now, fetch, max_age=SHARED_TICKER_AGE)

    async def history(self, symbol: Symbol, *, since: Timestamp, now: Timestamp) -> Bars:
        """Return what the price did after `since`, from the shortest candles that the exchange gives for it.

        Those are of a minute, if 3,000 of them reach back. What they leave open is filled from longer ones.

        Raises:
            RetryableError: the exchange does not answer.
        """
        offered = (await self._market_list()).time_frames
        time_frame = _shortest_for(now - since, offered)
        candles = await self._candles_since(symbol, time_frame, since, now)
        levels = [candles]
        parts, until = [finished_bars(candles, since=since, now=now)], known_until(time_frame, now)
        for _ in range(_FILLINGS):
            missing = holes(parts, since, until)
            longer = [frame for frame in offered if TIME_FRAMES[frame] > TIME_FRAMES[candles.time_frame]]
            if not missing or not longer:
                break
            length = _length_to_fill(missing, candles, since, now)
            time_frame = next((frame for frame in longer if TIME_FRAMES[frame] >= length), longer[-1])
            candles = await self._candles_since(symbol, time_frame, since, now)
            levels.append(candles)
            parts.append(bars_within(finished_bars(candles, since=since, now=now), missing))
        # A longer candle stands for its whole length: beside shorter ones it would not be heard.
        bars = history_of(levels, since, now).bars
        return replace(bars, missing=tuple(holes(parts, since, until)))

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

    def take_notes(self) -> Sequence[str]:
        """Return nothing: what an exchange does not give is an error of who asks for it."""
        return ()

    async def close(self) -> None:
        """Close the client's connections."""
        client, self._open_client = self._open_client, None
        if client is not None:
            await close_client(client)

    async def _candles_since(
        self, symbol: Symbol, time_frame: TimeFrame, since: Timestamp, now: Timestamp
    ) -> Candles:
        return await self.candles(symbol, time_frame, now=now, count=most_candles(time_frame, since, now))

    async def _market_list(self, missing: Collection[Symbol] = ()) -> MarketList:
        async def fetch() -> MarketList:
            return await self._caches.unless_banned(self._scope, lambda: fetch_market_list(self._details))

        return await self._caches.market_list(self._scope, fetch, missing)

    async def _fetch_tickers(self, symbols: Collection[Symbol], now: Timestamp) -> Mapping[Symbol, Ticker]:
        answers = await self._read(lambda client: _request_tickers(client, symbols))
        told = [ticker_of(symbol, answers.get(symbol), now) for symbol in symbols]
        return {ticker.symbol: ticker for ticker in told if ticker is not None}

    async def _tickers_or_closes(
        self, symbols: Collection[Symbol], now: Timestamp
    ) -> Mapping[Symbol, Ticker]:
        told = await self._fetch_tickers(symbols, now)
        untold = [symbol for symbol in symbols if symbol not in told]
        closes = await gathered([self._newest_close(symbol, now) for symbol in untold])
        return {**told} | {
            symbol: Ticker(symbol, close, now)
            for symbol, close in zip(untold, closes, strict=True)
            if close is not None
        }

    async def _newest_close(self, symbol: Symbol, now: Timestamp) -> Price | None:
        """Return a price of a symbol that has no ticker; None where there are no candles either."""
        time_frames = (await self._market_list()).time_frames
        with suppress(RetryableError, ConfigurationError):
            for time_frame in time_frames[:1]:
                candles = await self.candles(symbol, time_frame, now=now, count=1)
                return to_decimal(float(candles.close[-1])) if len(candles) else None
        return None

    async def _read(self, request: Callable[[Client], Awaitable[T]]) -> T:
        """Request something; the errors of ccxt become reactions."""

        async def read() -> T:
            client = await self._client()
            with reading(client):
                return await request(client)

        return await self._caches.unless_banned(self._scope, read)

    async def _client(self) -> Client:
        """Return this source's client, which shares the process's market list."""
        market_list = await self._market_list()
        if self._open_client is None:
            self._open_client = make_client(self._details)
            connect(self._open_client)
            market_list.share_with(self._open_client)
        return self._open_client


async def _request_tickers(client: Client, symbols: Collection[Symbol]) -> Mapping[Symbol, Any]:
    if len(symbols) > 1 and client.has.get("fetchTickers"):
        answers = await client.fetch_tickers(list(symbols))
        return answers if isinstance(answers, Mapping) else {}
    single: dict[Symbol, Any] = {}

    async def request(symbol: Symbol) -> None:
        single[symbol] = await client.fetch_ticker(symbol)

    await concurrently([request(symbol) for symbol in symbols])
    return single


def _shortest_for(period: Seconds, offered: Sequence[TimeFrame]) -> TimeFrame:
    """Return the shortest time frame of which not too many candles cover a period; else the longest one."""
    return next((frame for frame in offered if TIME_FRAMES[frame] * HISTORY_CANDLES >= period), offered[-1])


def _length_to_fill(missing: Sequence[Span], candles: Candles, since: Timestamp, now: Timestamp) -> Seconds:
    """Return how long candles have to be to say something of what others have left open.

    Where the exchange keeps too few to reach back, as many longer ones as it has given have to. Within, it
    leaves candles out in which nothing was traded: a longer one begins before that or ends after it.
    """
    if not len(candles) or candles.opened_at > since:
        return (now - since) / max(len(candles), 1)
    return max(end - start for start, end in missing)
