"""`ScriptMarket`: the market as one script sees it, whatever others of its invocation ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from engine.errors import DslError
from engine.market.candles import Candles
from engine.market.market import Market
from engine.market.market_protocols import MarketData, Ticker
from engine.market.requirements import CandleKey, wanted
from engine.money import to_decimal
from engine.types import TIME_FRAMES, Asset, Price, Symbol, TimeFrame

if TYPE_CHECKING:
    from engine.dsl import DataDependency


class ScriptMarket:
    """Shows the newest candles that one script asked for, and no others.

    Args:
        data: what was fetched for all scripts of the invocation.
        dependencies: what this one asked for.
    """

    def __init__(self, data: MarketData, dependencies: Iterable[DataDependency]) -> None:
        self._data = data
        self._dependencies = tuple(dependencies)
        self._counts: Mapping[CandleKey, int] = wanted(self._dependencies)[1] if self._dependencies else {}
        self._short: dict[CandleKey, int] = {}

    @property
    def shortages(self) -> Iterable[str]:
        """Yield, for people, which candles it read that are fewer than its values are defined by."""
        for (symbol, time_frame), given in self._short.items():
            asked = (
                one for one in self._dependencies if (one.symbol, one.time_frame) == (symbol, time_frame)
            )
            need = max(asked, key=lambda one: one.least)
            yield f"{need.shown_reader} has {given:,} of {need.least:,} candles of {symbol} {time_frame}"

    def market(self, symbol: Symbol) -> Market:
        """See `MarketData`."""
        return self._data.market(symbol)

    def candles(self, symbol: Symbol, time_frame: TimeFrame) -> Candles:
        """See `MarketData`; as many of the newest candles as this script asked for.

        Raises:
            DslError: it asked for none of these.
        """
        count = self._counts.get((symbol, time_frame))
        if count is None:
            self.market(symbol)
            raise DslError(f"no candles of {symbol} {time_frame} were fetched for this script")
        candles = self._data.candles(symbol, time_frame).last(count)
        given = len(candles)
        if given < count and any(
            given < one.least and (one.symbol, one.time_frame) == (symbol, time_frame)
            for one in self._dependencies
        ):
            self._short[symbol, time_frame] = given
        return candles

    def ticker(self, symbol: Symbol) -> Ticker:
        """See `MarketData`."""
        return self._data.ticker(symbol)

    def mark_price(self, symbol: Symbol) -> Price:
        """See `MarketData`; without a ticker, the newest close of this script's shortest candles."""
        try:
            return self._data.ticker(symbol).close
        except DslError:
            own = [self.candles(*key) for key in sorted(self._counts, key=_length) if key[0] == symbol]
            known = next((candles for candles in own if len(candles)), None)
            if known is None:
                raise
            return to_decimal(float(known.close[-1]))

    def priced_symbols(self) -> Collection[Symbol]:
        """See `MarketData`."""
        return self._data.priced_symbols()

    def value(self, amount: Decimal, asset: Asset, unit: Asset) -> Decimal | None:
        """See `MarketData`."""
        return self._data.value(amount, asset, unit)

    async def load_prices(self, assets: Iterable[Asset], unit: Asset) -> None:
        """See `MarketData`."""
        await self._data.load_prices(assets, unit)


def as_one_script_sees(
    services: Mapping[type, object], dependencies: Iterable[DataDependency]
) -> Mapping[type, object]:
    """Return the services of an invocation with the market as a script sees it that runs alone.

    Args:
        services: by protocol; without `MarketData` they stay as they are.
        dependencies: what the script asked for.
    """
    market = cast("MarketData | None", services.get(MarketData))
    return services if market is None else {**services, MarketData: ScriptMarket(market, dependencies)}


def _length(key: CandleKey) -> int:
    return TIME_FRAMES[key[1]]
