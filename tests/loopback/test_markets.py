"""The market lists that the loopback exchange can have."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.loopback import serving_binance
from tests.support.loopback.accounts import MarketId
from tests.support.loopback.clients import trading_client
from tests.support.loopback.markets import recorded_listings, written_listings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recorded markets: one with all filters, one with none of its own for market orders, a closed one."""
    filters: list[dict[str, object]] = [
        {"filterType": "PRICE_FILTER", "tickSize": "0.01000000"},
        {"filterType": "LOT_SIZE", "minQty": "0.10", "maxQty": "900.00", "stepSize": "0.10000000"},
        {"filterType": "MIN_NOTIONAL", "minNotional": "10.0"},
        {"filterType": "MARKET_LOT_SIZE", "maxQty": "100.0"},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
    ]
    symbols = [
        {
            "symbol": f"{base}USDT",
            "status": status,
            "baseAsset": base,
            "quoteAsset": "USDT",
            "filters": [one for one in filters if base != "BARE" or one["filterType"] != "MARKET_LOT_SIZE"],
        }
        for base, status in (("NEW", "TRADING"), ("BARE", "TRADING"), ("OLD", "BREAK"))
    ]
    path = tmp_path / "exchange" / "binance" / "exchangeInfo.json.gz"
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        json.dump({"symbols": symbols}, file)
    return tmp_path


def test_about_thirty_markets_are_written_for_it() -> None:
    listings = written_listings()

    assert len(listings) == 30
    assert listings[MarketId("BTCUSDT")].tick == Decimal("0.01")


async def test_a_recorded_market_list_is_served_as_it_was_recorded(folder: Path) -> None:
    listings = recorded_listings(folder)
    assert listings is not None
    assert [listings[MarketId(f"{base}USDT")].max_market_amount for base in ("NEW", "BARE")] == [100, 900]

    async with serving_binance(listings) as exchange:
        account = exchange.books.add_account("key", "secret", {"USDT": 100})
        async with trading_client(exchange, account) as client:
            assert set(client.markets) == {"NEW/USDT", "BARE/USDT"}
            assert client.markets["NEW/USDT"]["limits"]["cost"]["min"] == 10
            assert (await client.create_order("NEW/USDT", "market", "buy", 20))["filled"] == 20


def test_a_folder_without_a_list_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTOFLOW_MARKET_DATA", str(tmp_path))
    assert recorded_listings() is None
    monkeypatch.delenv("OCTOFLOW_MARKET_DATA")
    assert recorded_listings() is None
