"""Holdings and open orders, as scripts read them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.errors import DslError
from engine.market.recorded import RecordedSource
from tests.support.market import write_candles
from tests.support.memory_market import BTC, ETH, MemoryMarket
from tests.support.paper import NOW, run_script

HOLDINGS = {"BTC": 1, "USDT": 1_000}


def exchange() -> MemoryMarket:
    return MemoryMarket({BTC: "50000", ETH: "2000"})


async def test_open_orders_lock_what_is_available_but_not_the_total() -> None:
    script = "[limit('buy', 'BTC/USDT', '100q', 40000), total('USDT'), available('USDT'), len(open_orders)]"
    after = await run_script(script, exchange(), HOLDINGS)
    assert after.value[1:] == [Decimal(1_000), Decimal(900), 1]


async def test_an_unknown_asset_is_simply_not_held() -> None:
    after = await run_script("[total('DOGE'), available('DOGE')]", exchange(), HOLDINGS)
    assert after.value == [0, 0]


async def test_open_orders_can_be_asked_for_by_symbol() -> None:
    placed = await run_script("limit('sell', 'BTC/USDT', 0.1, 60000)", exchange(), HOLDINGS)
    script = "[open_orders('BTC/USDT')[0]['price'], len(open_orders('ETH/USDT'))]"
    after = await run_script(script, exchange(), placed.elements)
    assert after.value == [Decimal(60_000), 0]


async def test_without_a_position_there_is_none() -> None:
    assert (await run_script("position('BTC/USDT')", exchange(), HOLDINGS)).value is None


async def test_holdings_are_valued_at_current_prices() -> None:
    after = await run_script("holdings_value('USDT')", exchange(), {"BTC": 1, "ETH": 2, "USDT": 500})
    assert after.value == Decimal(54_500)


async def test_holdings_without_a_price_cannot_be_valued() -> None:
    with pytest.raises(DslError, match="what DOGE is worth in USDT"):
        await run_script("holdings_value('USDT')", exchange(), {"DOGE": 1})


async def test_a_recorded_market_that_lacks_an_asset_now_values_the_others(tmp_path: Path) -> None:
    hourly = [(100, 100, 100, 100)]
    write_candles(tmp_path, "BTC/USDT", "1h", hourly, start=NOW)
    write_candles(tmp_path, "ETH/USDT", "1h", hourly, start=NOW + 86_400)
    source = RecordedSource(tmp_path, "binance")

    assert (await run_script("holdings_value('USDT')", source, {"BTC": 2})).value == 200
    with pytest.raises(DslError, match="what ETH is worth in USDT"):
        await run_script("holdings_value('USDT')", source, {"BTC": 2, "ETH": 1})
