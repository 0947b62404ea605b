"""What an invocation has to fetch, from what its scripts depend on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.types import NEWEST_CANDLES, Symbol, TimeFrame

if TYPE_CHECKING:
    from engine.dsl import DataDependency

CandleKey = tuple[Symbol, TimeFrame]


def wanted(dependencies: Iterable[DataDependency]) -> tuple[set[Symbol], dict[CandleKey, int]]:
    """Return the symbols whose tickers are needed, and how many candles of which symbol and time frame.

    Candles are at least 200, so that actions with different needs share one request.
    """
    tickers: set[Symbol] = set()
    candles: dict[CandleKey, int] = {}
    for dependency in dependencies:
        symbol = Symbol(dependency.symbol)
        if dependency.source == "candles" and dependency.time_frame is not None:
            key = symbol, TimeFrame(dependency.time_frame)
            candles[key] = max(candles.get(key, NEWEST_CANDLES), dependency.candles)
        else:
            tickers.add(symbol)
    return tickers, candles
