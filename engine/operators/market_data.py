"""Operators that read candles and prices."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from operator import attrgetter
from typing import Annotated, Any, Final

from engine.dsl import Kind, OperatorContext, OperatorSet, Series, SymbolParam, TimeFrameParam, operator
from engine.market import MarketData
from engine.types import Symbol, TimeFrame

SET: Final = OperatorSet("market data", "Candles and prices, of the automation's own symbol by default.")

OWN: Final[Any] = None
"""Left out: the automation's own symbol or time frame is given instead."""

SymbolArgument = Annotated[Symbol, SymbolParam()]
TimeFrameArgument = Annotated[TimeFrame, TimeFrameParam()]


_COLUMNS: Final = {
    "open": "First price of each candle, oldest first; the last one is the running candle.",
    "high": "Highest price of each candle, oldest first; the last one is the running candle.",
    "low": "Lowest price of each candle, oldest first; the last one is the running candle.",
    "close": "Last price of each candle, oldest first; that of the running candle is the price now.",
    "volume": "Traded amount of each candle in base, oldest first; the last one is the running candle.",
    "time": "When each candle opened, in UNIX seconds, oldest first.",
}
"""The operators that give a column of candles: its name, and what it holds."""


def _add_column(name: str, summary: str) -> None:
    column = attrgetter(name)

    def read(
        context: OperatorContext, symbol: SymbolArgument = OWN, time_frame: TimeFrameArgument = OWN
    ) -> Series:
        series: Series = column(context.service(MarketData).candles(symbol, time_frame))
        return series

    read.__doc__ = f"""{summary}

    A script sees as many of the newest candles as it needs, and at least 200.

    Args:
        symbol: market to look at.
        time_frame: length of a candle.
    """
    example = f"{name}('BTC/USDT', '4h')[-1]"
    operator(SET, name=name, kind=Kind.READ, source="candles", example=example)(read)


for _name, _summary in _COLUMNS.items():
    _add_column(_name, _summary)


@operator(SET, kind=Kind.READ, source="price", example="price('BTC/USDT')")
def price(context: OperatorContext, symbol: SymbolArgument = OWN) -> Decimal:
    """The mark price: the latest ticker's close, else the newest candle's.

    Args:
        symbol: market to look at.
    """
    return context.service(MarketData).mark_price(symbol)


@operator(SET, kind=Kind.READ, source="price", example="ticker('BTC/USDT')['close']")
def ticker(context: OperatorContext, symbol: SymbolArgument = OWN) -> dict[str, Any]:
    """The latest prices: `close`, `timestamp` and, where known, `bid`, `ask`, `high`, `low`, `volume`.

    Args:
        symbol: market to look at.
    """
    return asdict(context.service(MarketData).ticker(symbol))
