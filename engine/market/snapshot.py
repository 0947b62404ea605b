"""`MarketSnapshot`: the market data of one invocation, as operators see it."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Collection, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import NoReturn

from engine.errors import ConfigurationError, DslError
from engine.exchanges import concurrently
from engine.market.candles import Candles
from engine.market.market import Market
from engine.market.market_protocols import MarketSource, Ticker
from engine.market.valuation import convert, needed_symbols
from engine.types import Asset, Price, Symbol, TimeFrame, Timestamp


class MarketSnapshot:
    """Public data at one instant; what is not there yet is fetched once, concurrently.

    A symbol that the exchange does not have is left out when fetching: the operator that uses it gets the
    error, and the other actions of the invocation run.

    Args:
        source: public data of the exchange.
        now: the instant, UNIX seconds of market time.
    """

    def __init__(self, source: MarketSource, now: Timestamp) -> None:
        self._source = source
        self._now = now
        self._markets: Mapping[Symbol, Market] | None = None
        self._candles: dict[tuple[Symbol, TimeFrame], Candles] = {}
        self._counts: dict[tuple[Symbol, TimeFrame], int] = {}
        self._tickers: dict[Symbol, Ticker] = {}

    async def fetch(self, tickers: Iterable[Symbol], candles: Mapping[tuple[Symbol, TimeFrame], int]) -> None:
        """Fetch what is missing.

        Args:
            tickers: symbols whose latest price is needed.
            candles: how many candles are needed of each symbol and time frame.

        Raises:
            ConfigurationError, RetryableError: as the source does.
        """
        tickers = list(tickers)
        markets = await self._load_markets([*tickers, *(symbol for symbol, _ in candles)])
        missing = [symbol for symbol in tickers if symbol in markets and symbol not in self._tickers]
        calls: list[Awaitable[None]] = [self._fetch_tickers(missing)] if missing else []
        for (symbol, time_frame), count in candles.items():
            if symbol in markets and self._counts.get((symbol, time_frame), 0) < count:
                calls.append(self._fetch_candles(symbol, time_frame, count))
        await concurrently(calls)

    def market(self, symbol: Symbol) -> Market:
        """Return the trading rules of a symbol."""
        market = self._markets.get(symbol) if self._markets else None
        return market or self._unknown(symbol)

    def candles(self, symbol: Symbol, time_frame: TimeFrame) -> Candles:
        """Return the candles of a symbol, the running one last."""
        candles = self._candles.get((symbol, time_frame))
        if candles is None:
            self.market(symbol)
            raise DslError(f"no candles of {symbol} {time_frame} were fetched in this invocation")
        return candles

    def ticker(self, symbol: Symbol) -> Ticker:
        """Return the latest prices of a symbol."""
        ticker = self._tickers.get(symbol)
        if ticker is None:
            self.market(symbol)
            raise DslError(f"the exchange gives no price for {symbol} at the moment")
        return ticker

    def mark_price(self, symbol: Symbol) -> Price:
        """Return the latest ticker's close; candles that some script happens to read say nothing here."""
        return self.ticker(symbol).close

    def priced_symbols(self) -> Collection[Symbol]:
        """Return the symbols whose tickers were fetched."""
        return self._tickers.keys()

    def value(self, amount: Decimal, asset: Asset, unit: Asset) -> Decimal | None:
        """Return what `amount` of an asset is worth in `unit` at fetched prices, or None without a price."""
        return convert(amount, asset, unit, {symbol: known.close for symbol, known in self._tickers.items()})

    async def load_prices(self, assets: Iterable[Asset], unit: Asset) -> None:
        """Fetch the prices that `value` needs for these assets, where the exchange has them."""
        needed = sorted(needed_symbols(assets, unit, await self._load_markets()))
        try:
            await self.fetch(needed, {})
        except ConfigurationError:
            # A recorded market need not have every asset at this time; the others still have a value.
            for symbol in needed:
                with suppress(ConfigurationError):
                    await self.fetch([symbol], {})

    async def _load_markets(self, needed: Iterable[Symbol] = ()) -> Mapping[Symbol, Market]:
        known = self._markets
        missing = [symbol for symbol in needed if known is None or symbol not in known]
        if known is None or missing:
            known = self._markets = await self._source.markets(missing)
        return known

    async def _fetch_tickers(self, symbols: Collection[Symbol]) -> None:
        self._tickers.update(await self._source.tickers(symbols, now=self._now))

    async def _fetch_candles(self, symbol: Symbol, time_frame: TimeFrame, count: int) -> None:
        self._candles[symbol, time_frame] = await self._source.candles(
            symbol, time_frame, now=self._now, count=count
        )
        self._counts[symbol, time_frame] = count

    def _unknown(self, symbol: Symbol) -> NoReturn:
        near = difflib.get_close_matches(symbol, self._markets or (), n=3, cutoff=0.5)
        raise DslError(
            f"the exchange has no symbol `{symbol}`",
            code="invalid_parameters",
            suggestion=f"Did you mean {', '.join(near)}?" if near else None,
        )
