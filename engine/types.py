"""Names for the plain values that travel through the engine, so that signatures say what they mean."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, NewType

ActionId = NewType("ActionId", str)
"""Id of an action, unique in its automation."""

Asset = NewType("Asset", str)
"""Code of a currency or coin: `BTC`."""

Symbol = NewType("Symbol", str)
"""A market in ccxt's unified form: `BTC/USDT`, `BTC/USDT:USDT`."""

TimeFrame = NewType("TimeFrame", str)
"""Length of a candle: `1h`."""

OrderId = NewType("OrderId", str)
"""Id of an order on its exchange."""

CallSite = NewType("CallSite", str)
"""Place of an operator call in its script, stable as long as the script is."""

EffectKey = NewType("EffectKey", str)
"""Identity of one effect, the same on every attempt: 32 hex digits."""

Amount = Decimal
"""A quantity of the base asset."""

Price = Decimal
"""Quote per unit of base."""

Timestamp = float
"""UNIX seconds, market time."""

Seconds = float

NEWEST_CANDLES: Final = 200
"""How many candles a script sees at least, as far as there are so many; and how many of a series it looks at
where that cannot be told."""

MarketKind = Literal["spot", "future"]
"""What is traded: the asset itself, or a contract on it."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

TIME_FRAMES: Final = MappingProxyType(
    {
        TimeFrame("1m"): _MINUTE,
        TimeFrame("3m"): 3 * _MINUTE,
        TimeFrame("5m"): 5 * _MINUTE,
        TimeFrame("15m"): 15 * _MINUTE,
        TimeFrame("30m"): 30 * _MINUTE,
        TimeFrame("1h"): _HOUR,
        TimeFrame("2h"): 2 * _HOUR,
        TimeFrame("3h"): 3 * _HOUR,
        TimeFrame("4h"): 4 * _HOUR,
        TimeFrame("6h"): 6 * _HOUR,
        TimeFrame("8h"): 8 * _HOUR,
        TimeFrame("12h"): 12 * _HOUR,
        TimeFrame("1d"): _DAY,
        TimeFrame("3d"): 3 * _DAY,
        TimeFrame("1w"): 7 * _DAY,
        TimeFrame("1M"): 30 * _DAY,
    }
)
"""Known time frames and their length in seconds, shortest first. That of a month serves to put them in
order; `closes_at` of `engine.market` says when a candle closes."""
