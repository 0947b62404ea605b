"""What an asset is worth in another one: directly, the other way round, or over a third asset."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from decimal import Decimal
from typing import Final

from engine.types import Asset, Price, Symbol

BRIDGES: Final = tuple(map(Asset, ("USDT", "USDC", "BTC", "ETH", "USD", "EUR", "BNB")))
"""Assets that most others are traded against, the usual ones first."""


def price_path(asset: Asset, unit: Asset, symbols: Container[Symbol]) -> tuple[Symbol, ...] | None:
    """Return the symbols whose prices say what `asset` is worth in `unit`; None when there is no path.

    Args:
        asset: what is valued.
        unit: what its value is counted in.
        symbols: the symbols that prices can be had of.
    """
    if asset == unit:
        return ()
    direct = _symbol_between(asset, unit, symbols)
    if direct is not None:
        return (direct,)
    for bridge in BRIDGES:
        first = _symbol_between(asset, bridge, symbols)
        second = _symbol_between(bridge, unit, symbols)
        if first is not None and second is not None:
            return first, second
    return None


def convert(amount: Decimal, asset: Asset, unit: Asset, prices: Mapping[Symbol, Price]) -> Decimal | None:
    """Return what `amount` of an asset is worth in `unit`, or None when the prices do not say."""
    path = price_path(asset, unit, prices)
    if path is None:
        return None
    held = asset
    for symbol in path:
        base, _, quote = symbol.partition("/")
        if held == base:
            amount, held = amount * prices[symbol], Asset(quote)
        else:
            amount, held = amount / prices[symbol], Asset(base)
    return amount


def needed_symbols(assets: Iterable[Asset], unit: Asset, symbols: Container[Symbol]) -> set[Symbol]:
    """Return the symbols whose prices value all the assets, as far as there is a path."""
    return {symbol for asset in assets for symbol in price_path(asset, unit, symbols) or ()}


def _symbol_between(one: Asset, other: Asset, symbols: Container[Symbol]) -> Symbol | None:
    for base, quote in ((one, other), (other, one)):
        symbol = Symbol(f"{base}/{quote}")
        if symbol in symbols:
            return symbol
    return None
