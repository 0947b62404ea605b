"""What exchanges can do, where neither their market list nor ccxt says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.types import MarketKind

NATIVE_SPOT_STOPS: Final = frozenset({"binance", "bingx", "coinbase", "kucoin"})
"""Exchanges that watch the price of spot stops themselves."""

_FEATURE_SETS: Final[Mapping[MarketKind, str]] = {"spot": "spot", "future": "swap"}
_STOP_FEATURES: Final = ("stopLossPrice", "triggerPrice")


def native_stops(exchange_id: str, kind: MarketKind, features: Mapping[str, Any] | None = None) -> bool:
    """Whether stop orders are the exchange's own, so that they work while nothing of ours runs.

    Args:
        exchange_id: ccxt's id.
        kind: of the market; futures exchanges all have stops.
        features: ccxt's `features` of the exchange, which are asked first.
    """
    offered = (features or {}).get(_FEATURE_SETS[kind]) or {}
    if kind == "future" and not offered.get("createOrder"):
        offered = offered.get("linear") or {}
    creation = offered.get("createOrder")
    if creation:
        return any(creation.get(name) for name in _STOP_FEATURES)
    return kind == "future" or exchange_id in NATIVE_SPOT_STOPS
