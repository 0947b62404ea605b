"""What ccxt has made of public answers, any field of which may be null, empty or nonsense."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from engine.market.market_protocols import Ticker
from engine.money import to_decimal
from engine.types import Price, Symbol, Timestamp

MILLISECONDS: Final = 1_000
LARGEST: Final = 1e30
"""What no price and no amount comes near."""

CandleRow = tuple[float, float, float, float, float, float]
"""Open time in UNIX seconds, open, high, low, close, volume."""


def readable_rows(rows: Any) -> Sequence[CandleRow]:
    """Return the candles of an answer, oldest first; what is none is left out, so that it is a hole.

    A missing volume is 0, since some exchanges tell none; of two candles of one time the later one counts.
    """
    found: dict[float, CandleRow] = {}
    for row in rows if isinstance(rows, Sequence) else ():
        candle = _candle(row)
        if candle is not None:
            found[candle[0]] = candle
    return [found[time] for time in sorted(found)]


def ticker_of(symbol: Symbol, raw: Any, now: Timestamp) -> Ticker | None:
    """Return a ticker; None without a price above zero."""
    last = positive(raw.get("last")) if isinstance(raw, Mapping) else None
    if last is None:
        return None
    names = {"bid": "bid", "ask": "ask", "high": "high", "low": "low", "volume": "baseVolume"}
    given = {name: positive(raw.get(key)) for name, key in names.items()}
    return Ticker(symbol, close=last, timestamp=now, **given)


def positive(value: Any) -> Price | None:
    """Return a number above zero, else None."""
    number = number_of(value)
    return number if number is not None and number > 0 else None


def number_of(value: Any) -> Decimal | None:
    """Return a finite number that is given as one, or as its text; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = to_decimal(value)
    except ArithmeticError:
        return None
    return number if number.is_finite() and abs(number) < LARGEST else None


def _candle(row: Any) -> CandleRow | None:
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) < 5:
        return None
    numbers = [number_of(value) for value in row[:6]]
    volume = float(numbers[5] or 0) if len(numbers) == 6 else 0.0
    if any(number is None or number <= 0 for number in numbers[:5]):
        return None
    time, opened, high, low, closed = (float(number) for number in numbers[:5] if number is not None)
    is_sound = low <= min(opened, closed) and max(opened, closed) <= high and 0 <= volume < math.inf
    return (time / MILLISECONDS, opened, high, low, closed, volume) if is_sound else None
