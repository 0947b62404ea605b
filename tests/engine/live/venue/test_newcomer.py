"""An exchange is added by its row alone: whatever reads the table takes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError
from engine.exchanges import table
from engine.exchanges.capabilities import Capabilities
from engine.exchanges.key_rights import KeyRights
from engine.live.venue.api import Accepted, Duplicate
from engine.market.public_cache import PublicCaches
from engine.market.recorded import RecordedSource
from engine.state import Order
from engine.types import EffectKey, Symbol
from tests.support.live import TestPace, live_details, live_exchange
from tests.support.loopback import serving_binance

NEWCOMER = "binancecoinm"
"""An exchange that ccxt has and the table has not; on spot its class speaks as the loopback exchange does."""

BTC = Symbol("BTC/USDT")
LIMIT = {"id": "planned", "symbol": BTC, "side": "buy", "type": "limit", "amount": "1", "price": "50000"}
KEY = EffectKey("0123456789abcdef0123456789abcdef")


async def told_rights(client: Any) -> KeyRights:
    await client.fetch_time()
    return KeyRights(read=True, withdraw=False)


ROW = Capabilities(
    market_types={"spot": ("spot",), "future": ("inverse",)},
    options={"defaultSubType": None},
    key_rights=told_rights,
    prefix="new-",
    length=20,
    finds_by_client_id=True,
    native_spot_stops=True,
    duplicate_texts=("duplicate order sent",),
)


def add(monkeypatch: pytest.MonkeyPatch, row: Capabilities) -> None:
    assert NEWCOMER not in table.EXCHANGES
    monkeypatch.setattr(table, "EXCHANGES", {**table.EXCHANGES, NEWCOMER: row})


async def test_a_newcomer_is_traded_on_as_its_row_says(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, ROW)
    async with serving_binance() as exchange:
        exchange.books.set_price("BTCUSDT", 60_000)
        account = exchange.books.add_account("key", "secret", {"USDT": 100_000})
        details = live_details(exchange.url, account, NEWCOMER)
        async with live_exchange(details, TestPace().pace, PublicCaches()) as live:
            client = live.wire.client  # type: ignore[attr-defined]  # behind the protocol
            assert client.options["fetchMarkets"]["types"] == ["spot"]
            assert (await live.source.markets())[BTC].stops
            assert await live.api.key_rights() == KeyRights(read=True, withdraw=False)

            client_id = live.api.capabilities.client_order_id(KEY)
            assert client_id == "new-0123456789abcdef"
            order = Order.model_validate(LIMIT | {"client_order_id": client_id})
            assert isinstance(await live.api.create_order(order), Accepted)
            assert list(await live.api.find_orders(BTC, [client_id], 0)) == [client_id]
            assert isinstance(await live.api.create_order(order), Duplicate)


async def test_a_newcomer_is_refused_where_its_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, Capabilities(refused="its class sends more than it is asked to"))
    async with serving_binance() as exchange:
        details = live_details(exchange.url, exchange.books.add_account("key", "secret", {}), NEWCOMER)
        with pytest.raises(ConfigurationError, match="sends more than it is asked to"):
            async with live_exchange(details, TestPace().pace):
                pass


@pytest.mark.parametrize("row", [ROW, Capabilities()])
async def test_a_recording_of_a_newcomer_has_the_stops_of_its_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, row: Capabilities
) -> None:
    add(monkeypatch, row)
    folder = tmp_path / "exchange" / NEWCOMER
    folder.mkdir(parents=True)
    folder.joinpath("markets.json").write_text(json.dumps([{"symbol": BTC, "base": "BTC", "quote": "USDT"}]))
    assert (await RecordedSource(tmp_path, NEWCOMER).markets())[BTC].stops is row.native_spot_stops
