"""What an asset is worth in another one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.market.valuation import convert, needed_symbols
from engine.types import Asset, Symbol


def prices(**by_symbol: str) -> dict[Symbol, Decimal]:
    """`ETH_BTC="0.5"`: one ETH costs half a BTC."""
    return {Symbol(name.replace("_", "/")): Decimal(price) for name, price in by_symbol.items()}


@pytest.mark.parametrize(
    ("amount", "asset", "unit", "known", "value"),
    [
        ("2", "BTC", "BTC", prices(), "2"),
        ("2", "BTC", "USDT", prices(BTC_USDT="10000"), "20000"),
        ("5000", "USDT", "BTC", prices(BTC_USDT="10000"), "0.5"),
        ("1", "ADA", "BTC", prices(BTC_USDT="10000", ADA_USDT="2"), "0.0002"),
        ("2", "DOT", "BTC", prices(ETH_BTC="0.5", DOT_ETH="0.2"), "0.2"),
    ],
)
def test_value_is_found_directly_inverted_or_over_a_bridge(
    amount: str, asset: str, unit: str, known: dict[Symbol, Decimal], value: str
) -> None:
    assert convert(Decimal(amount), Asset(asset), Asset(unit), known) == Decimal(value)


def test_without_a_path_there_is_no_value() -> None:
    assert convert(Decimal(1), Asset("DOGE"), Asset("BTC"), prices(BTC_USDT="10000")) is None


def test_only_the_prices_on_the_paths_are_needed() -> None:
    symbols = {Symbol(name) for name in ("BTC/USDT", "ADA/USDT", "ADA/BTC", "XRP/EUR")}
    assets = [Asset("ADA"), Asset("USDT"), Asset("XRP"), Asset("BTC")]
    assert needed_symbols(assets, Asset("BTC"), symbols) == {"ADA/BTC", "BTC/USDT"}
