"""The seams of the market: where public data comes from, and how operators see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from engine.market.bars import Bars
from engine.market.candles import Candles
from engine.market.funding import FundingRate
from engine.market.market import Market
from engine.types import Amount, Asset, Price, Symbol, TimeFrame, Timestamp


@dataclass(frozen=True, slots=True)
class Ticker:
    """The latest prices of a symbol, quote per base; `timestamp` in UNIX seconds."""

    symbol: Symbol
    close: Price
    timestamp: Timestamp
    bid: Price | None = None
    ask: Price | None = None
    high: Price | None = None
    low: Price | None = None
    volume: Amount | None = None


class MarketSource(Protocol):
    """Public data of one exchange. Unknown symbols are absent from answers; other failures are raised."""

    async def markets(self, missing: Collection[Symbol] = ()) -> Mapping[Symbol, Market]:
        """Return all markets by symbol.

        Args:
            missing: symbols that the caller did not find; a list from a cache is loaded again for them, once.
        """
        ...

    async def candles(self, symbol: Symbol, time_frame: TimeFrame, *, now: Timestamp, count: int) -> Candles:
        """Return up to `count` candles as known at `now`, oldest first, the running candle last."""
        ...

    async def tickers(self, symbols: Collection[Symbol], *, now: Timestamp) -> Mapping[Symbol, Ticker]:
        """Return the tickers of the symbols at `now`."""
        ...

    async def history(self, symbol: Symbol, *, since: Timestamp, now: Timestamp) -> Bars:
        """Return what the price did after `since` and up to `now`, from the shortest candles that there are.

        It depends on the market alone, never on what was asked for before. Stretches that cannot be had are
        told in `Bars.missing`.

        Args:
            symbol: the market.
            since: start of the period, UNIX seconds.
            now: end of the period.
        """
        ...

    async def funding(self, symbol: Symbol, *, since: Timestamp, now: Timestamp) -> Sequence[FundingRate]:
        """Return the funding of a perpetual future that became known after `since` and up to `now`.

        Oldest first; nothing where the source does not have it.
        """
        ...

    def take_notes(self) -> Sequence[str]:
        """Return what a person should know of the data that was given since the last call."""
        ...

    async def close(self) -> None:
        """Release connections; the source is not used afterwards."""
        ...


class MarketData(Protocol):
    """The market as an operator sees it: data of one instant, fetched before.

    Every method raises `DslError` (`invalid_parameters`) for an unknown symbol, naming the nearest ones, and
    (`evaluation`) for data that is not there.
    """

    def market(self, symbol: Symbol) -> Market:
        """Return the trading rules of a symbol."""
        ...

    def candles(self, symbol: Symbol, time_frame: TimeFrame) -> Candles:
        """Return the candles of a symbol, the running one last."""
        ...

    def ticker(self, symbol: Symbol) -> Ticker:
        """Return the latest prices of a symbol."""
        ...

    def mark_price(self, symbol: Symbol) -> Price:
        """Return the latest ticker's close, else the newest close of the candles that the script reads."""
        ...

    def priced_symbols(self) -> Collection[Symbol]:
        """Return the symbols whose prices were fetched: what the automation trades or asks the price of."""
        ...

    def value(self, amount: Decimal, asset: Asset, unit: Asset) -> Decimal | None:
        """Return what `amount` of an asset is worth in `unit` at known prices, or None without a price."""
        ...

    async def load_prices(self, assets: Iterable[Asset], unit: Asset) -> None:
        """Fetch the prices that `value` needs for these assets, where the exchange has them."""
        ...
