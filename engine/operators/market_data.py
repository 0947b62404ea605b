"""Operators that read candles and prices."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any, Final

from engine.dsl import Kind, OperatorContext, OperatorSet, Series, SymbolParam, TimeFrameParam, operator
from engine.market import MarketData
from engine.types import Symbol, TimeFrame

SET: Final = OperatorSet("market data", "Candles and prices, of the automation's own symbol by default.")

OWN: Final[Any] = None
"""Left out: the automation's own symbol or time frame is given instead."""

SymbolArgument = Annotated[Symbol, SymbolParam()]
TimeFrameArgument = Annotated[TimeFrame, TimeFrameParam()]


@operator(SET, kind=Kind.READ, source="candles", example="open('BTC/USDT', '4h')[-1]")
def open_(
    context: OperatorContext, symbol: SymbolArgument = OWN, time_frame: TimeFrameArgument = OWN
) -> Series:
    """First price of each candle, oldest first; the last one is the running candle.

    Args:
        symbol: market to look at.
        time_frame: length of a candle.
    """
    return context.service(MarketData).candles(symbol, time_frame).open


@operator(SET, kind=Kind.READ, source="candles", example="high('BTC/USDT', '4h')[-1]")
def high(
    context: OperatorContext, symbol: SymbolArgument = OWN, time_frame: TimeFrameArgument = OWN
) -> Series:
    """Highest price of each candle, oldest first; the last one is the running candle.

    Args:
        symbol: market to look at.
        time_frame: length of a candle.
    """
    return context.service(MarketData).candles(symbol, time_frame).high


@operator(SET, kind=Kind.READ, source="candles", example="low('BTC/USDT', '4h')[-1]")
def low(
    context: OperatorContext, symbol: SymbolArgument = OWN, time_frame: TimeFrameArgument = OWN
) -> Series:
    """Lowest price of each candle, oldest first; the last one is the running candle.

    Args:
        symbol: market to look at.
        time_frame: length of a candle.
    """
    return context.service(MarketData).candles(symbol, time_frame).low


@operator(SET, kind=Kind.READ, source="candles", example="close('BTC/USDT', '4h')[-1]")
def close(
    context: OperatorContext, symbol: SymbolArgument = OWN, time_frame: TimeFrameArgument = OWN
) -> Series:
    """Last price of each candle, oldest first; that of the running candle is the price now.

    Args:
        symbol: market to look at.
        time_frame: length of a candle.
    """
    return context.service(MarketData).candles(symbol, time_frame).close


@operator(SET, kind=Kind.READ, source="candles", example="volume('BTC/USDT', '4h')[-1]")
def volume(
    context: OperatorContext, symbol: SymbolArgument = OWN, time_frame: TimeFrameArgument = OWN
) -> Series:
    """Traded amount of each candle in base, oldest first; the last one is the running candle.

    Args:
        symbol: market to look at.
        time_frame: length of a candle.
    """
    return context.service(MarketData).candles(symbol, time_frame).volume


@operator(SET, kind=Kind.READ, source="candles", example="time('BTC/USDT', '4h')[-1]")
def time(
    context: OperatorContext, symbol: SymbolArgument = OWN, time_frame: TimeFrameArgument = OWN
) -> Series:
    """When each candle opened, in UNIX seconds, oldest first.

    Args:
        symbol: market to look at.
        time_frame: length of a candle.
    """
    return context.service(MarketData).candles(symbol, time_frame).time


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
