"""An exchange that exists only in the test: markets, prices and candles as given, requests counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from engine.market.bars import Bars, finished_bars
from engine.market.candles import Candles
from engine.market.funding import FundingRate
from engine.market.market import Market, generic_market
from engine.market.market_protocols import Ticker
from engine.types import Symbol, TimeFrame

BTC = Symbol("BTC/USDT")
ETH = Symbol("ETH/USDT")
HOUR = TimeFrame("1h")


class MemoryMarket:
    """A `MarketSource` whose prices a test sets; `requests` counts what was asked for."""

    def __init__(
        self,
        prices: Mapping[str, str | int],
        *,
        markets: Sequence[Market] = (),
        hourly: Candles | None = None,
        funding: Sequence[FundingRate] = (),
    ) -> None:
        self.prices = {Symbol(symbol): Decimal(price) for symbol, price in prices.items()}
        known = {market.symbol: market for market in markets}
        self._markets = {symbol: known.get(symbol, generic_market(symbol)) for symbol in self.prices} | known
        self.hourly = hourly or Candles.from_rows(HOUR, [])
        self.rates = list(funding)
        self.requests: Counter[str] = Counter()
        self.closed = False

    async def markets(self, missing: Collection[Symbol] = ()) -> Mapping[Symbol, Market]:
        self.requests["markets"] += 1
        return self._markets

    async def candles(self, symbol: Symbol, time_frame: TimeFrame, *, now: float, count: int) -> Candles:
        self.requests["candles"] += 1
        return self.hourly.last(count)

    async def tickers(self, symbols: Collection[Symbol], *, now: float) -> Mapping[Symbol, Ticker]:
        self.requests["tickers"] += 1
        return {symbol: Ticker(symbol, self.prices[symbol], now) for symbol in symbols}

    async def history(self, symbol: Symbol, *, since: float, now: float) -> Bars:
        self.requests["history"] += 1
        return finished_bars(self.hourly, since=since, now=now)

    async def funding(self, symbol: Symbol, *, since: float, now: float) -> Sequence[FundingRate]:
        self.requests["funding"] += 1
        return [known for known in self.rates if since < known.time <= now]

    def take_notes(self) -> Sequence[str]:
        """Nothing: a test knows what it gives."""
        return ()

    async def close(self) -> None:
        self.closed = True
