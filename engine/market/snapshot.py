"""`MarketSnapshot`: the market data of one invocation, as operators see it."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import NoReturn

from engine.errors import ConfigurationError, DslError, OctoflowError, RecordingEndedError, RetryableError
from engine.exchanges import RATE_LIMITED, concurrently
from engine.market.candles import Candles
from engine.market.market import Market
from engine.market.market_protocols import MarketSource, Ticker
from engine.market.requirements import CandleKey
from engine.market.valuation import convert, needed_symbols
from engine.types import Asset, Price, Symbol, TimeFrame, Timestamp


class MarketSnapshot:
    """Public data at one instant; what is not there yet is fetched once, concurrently.

    What cannot be had is left out when fetching: the operator that uses it gets the error, and the other
    actions of the invocation run. What might come later is told by `delayed`.

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
        self._failures: dict[tuple[Symbol, TimeFrame | None], OctoflowError] = {}

    async def fetch(self, tickers: Iterable[Symbol], candles: Mapping[tuple[Symbol, TimeFrame], int]) -> None:
        """Fetch what is missing.

        Args:
            tickers: symbols whose latest price is needed.
            candles: how many candles are needed of each symbol and time frame.

        Raises:
            RetryableError: the market list did not come, or the exchange asks for a pause.
            PostponedError: it is under maintenance.
            ConfigurationError: its market list cannot be had.
        """
        tickers = list(tickers)
        markets = await self._load_markets([*tickers, *(symbol for symbol, _ in candles)])
        missing = [symbol for symbol in tickers if symbol in markets and symbol not in self._tickers]
        calls: list[Awaitable[None]] = [self._fetch_tickers(missing)] if missing else []
        for (symbol, time_frame), count in candles.items():
            if symbol in markets and self._counts.get((symbol, time_frame), 0) < count:
                calls.append(self._fetch_candles(symbol, time_frame, count))
        await concurrently(calls)

    @property
    def over(self) -> RecordingEndedError | None:
        """That a recorded market has ended, and nothing came of it; None while there is anything."""
        ended = [error for error in self._failures.values() if isinstance(error, RecordingEndedError)]
        if not ended or len(ended) < len(self._failures) or self._tickers or self._candles:
            return None
        return max(ended, key=lambda error: error.ended_at)

    def delayed(self, tickers: Iterable[Symbol], candles: Iterable[CandleKey]) -> RetryableError | None:
        """Return why something was not there that may come later; None when nothing is missing for now."""
        wanted = (self._failures.get(key) for key in (*((symbol, None) for symbol in tickers), *candles))
        return next((error for error in wanted if isinstance(error, RetryableError)), None)

    def market(self, symbol: Symbol) -> Market:
        """Return the trading rules of a symbol."""
        market = self._markets.get(symbol) if self._markets else None
        return market or self._unknown(symbol)

    def candles(self, symbol: Symbol, time_frame: TimeFrame) -> Candles:
        """Return the candles of a symbol, the running one last."""
        candles = self._candles.get((symbol, time_frame))
        if candles is None:
            self._refuse(symbol, time_frame)
            raise DslError(f"no candles of {symbol} {time_frame} were fetched in this invocation")
        return candles

    def ticker(self, symbol: Symbol) -> Ticker:
        """Return the latest prices of a symbol."""
        ticker = self._tickers.get(symbol)
        if ticker is None:
            self._refuse(symbol, None)
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
        await self.fetch(needed, {})
        delayed = self.delayed(needed, ())
        if delayed is not None and not self._tickers:
            raise delayed

    async def _load_markets(self, needed: Iterable[Symbol] = ()) -> Mapping[Symbol, Market]:
        known = self._markets
        missing = [symbol for symbol in needed if known is None or symbol not in known]
        if known is None or missing:
            known = self._markets = await self._source.markets(missing)
        return known

    async def _fetch_tickers(self, symbols: Collection[Symbol]) -> None:
        try:
            self._tickers.update(await self._source.tickers(symbols, now=self._now))
            self._failures = {
                key: error for key, error in self._failures.items() if key[1] or key[0] not in symbols
            }
        except (ConfigurationError, RetryableError) as error:
            if _is_of_all(error):
                raise
            if len(symbols) == 1:
                self._failures[next(iter(symbols)), None] = error
            else:  # one dead pair does not hide the prices of the others
                await concurrently([self._fetch_tickers([symbol]) for symbol in symbols])

    async def _fetch_candles(self, symbol: Symbol, time_frame: TimeFrame, count: int) -> None:
        try:
            self._candles[symbol, time_frame] = await self._source.candles(
                symbol, time_frame, now=self._now, count=count
            )
            self._counts[symbol, time_frame] = count
            self._failures.pop((symbol, time_frame), None)
        except (ConfigurationError, RetryableError) as error:
            if _is_of_all(error):
                raise
            self._failures[symbol, time_frame] = error

    def _refuse(self, symbol: Symbol, time_frame: TimeFrame | None) -> None:
        """Raise why data of a symbol is not there, as far as that is known."""
        self.market(symbol)
        failure = self._failures.get((symbol, time_frame))
        if failure is not None:
            raise DslError(failure.message) from failure

    def _unknown(self, symbol: Symbol) -> NoReturn:
        near = difflib.get_close_matches(symbol, self._markets or (), n=3, cutoff=0.5)
        raise DslError(
            f"the exchange has no symbol `{symbol}`",
            code="invalid_parameters",
            suggestion=f"Did you mean {', '.join(near)}?" if near else None,
        )


def _is_of_all(error: OctoflowError) -> bool:
    """Whether an error is of the whole exchange, so that asking for anything else makes no sense."""
    return error.code == RATE_LIMITED
