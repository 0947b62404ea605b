"""Candles and prices, as scripts read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.dsl import Defaults
from engine.errors import DslError
from engine.market.candles import Candles
from tests.support.memory_market import BTC, HOUR, MemoryMarket
from tests.support.paper import NOW, run_script

ROWS = [(NOW + index * 3_600, 10 + index, 20 + index, 5 + index, 15 + index, 7 + index) for index in range(3)]


def exchange() -> MemoryMarket:
    return MemoryMarket({BTC: "50000"}, hourly=Candles.from_rows(HOUR, ROWS))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("open", [10, 11, 12]),
        ("high", [20, 21, 22]),
        ("low", [5, 6, 7]),
        ("close", [15, 16, 17]),
        ("volume", [7, 8, 9]),
        ("time", [NOW, NOW + 3_600, NOW + 7_200]),
    ],
)
async def test_candles_are_series_with_the_newest_value_last(name: str, values: list[float]) -> None:
    named = await run_script(f"{name}('BTC/USDT', '1h')", exchange(), {})
    by_default = await run_script(
        f"{name}[-1]", exchange(), {}, defaults=Defaults(symbol="BTC/USDT", time_frame="1h")
    )
    assert named.value.tolist() == values
    assert by_default.value == values[-1]


async def test_price_and_ticker_are_exact() -> None:
    after = await run_script("[price('BTC/USDT'), ticker('BTC/USDT')['close']]", exchange(), {})
    assert after.value == [Decimal(50_000), Decimal(50_000)]


@pytest.mark.parametrize("script", ["price('BTC/USDC')", "close('BTC/USDC', '1h')"])
async def test_an_unknown_symbol_is_refused_with_near_ones(script: str) -> None:
    with pytest.raises(DslError, match="no symbol `BTC/USDC`") as refused:
        await run_script(script, exchange(), {})
    assert refused.value.code == "invalid_parameters"
    assert "BTC/USDT" in str(refused.value)


async def test_an_unknown_time_frame_is_refused() -> None:
    with pytest.raises(DslError, match="9h") as refused:
        await run_script("close('BTC/USDT', '9h')", exchange(), {})
    assert refused.value.code == "invalid_parameters"
