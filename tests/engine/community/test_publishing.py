"""What leaders publish: shares of their account, when it changed, at no cost to themselves."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any, cast

import pytest

from engine.community import HttpCommunity, LeaderSnapshot
from engine.community.models import MAX_ASSETS
from engine.community.publishing import publish_snapshot
from engine.errors import RetryableError
from engine.market.market_protocols import MarketData
from engine.state import AutomationState, load_state
from engine.types import Asset
from tests.support.community import CommunityServer, serving

CANARY = "canary-token"
ACCOUNT = {
    "portfolio": {
        "content": {
            "BTC": {"available": "0.01", "total": "0.02"},
            "USDT": {"available": "3000", "total": "3000"},
            "DUST": {"available": "0", "total": "0"},
        }
    },
    "orders": {
        "open_orders": [
            {
                "id": "1",
                "symbol": "BTC/USDT",
                "side": "sell",
                "type": "limit",
                "amount": "0.01",
                "price": "70000",
            }
        ]
    },
}


class Prices:
    """The part of `MarketData` that values assets."""

    def __init__(self, **worths: str) -> None:
        self._worths = {Asset(asset): Decimal(worth) for asset, worth in worths.items()}

    async def load_prices(self, assets: Any, unit: Asset) -> None:
        pass

    def value(self, amount: Decimal, asset: Asset, unit: Asset) -> Decimal | None:
        worth = self._worths.get(asset)
        return None if worth is None else amount * worth


class NoPrices(Prices):
    async def load_prices(self, assets: Any, unit: Asset) -> None:
        raise RetryableError("binance does not answer")


class Broken(Prices):
    async def load_prices(self, assets: Any, unit: Asset) -> None:
        raise ZeroDivisionError(CANARY)


def leader(**metadata: Any) -> AutomationState:
    named = {"automation_id": "bot", "emit_signals": True, "strategy_id": "dips", **metadata}
    return load_state(
        {
            "schema_version": 1,
            "automation": {
                "metadata": named,
                "exchange_account_elements": ACCOUNT,
                "execution": {"iteration": 4, "current_execution": {"triggered_at": 1_700_000_000}},
            },
            "exchange_account_details": {
                "exchange_details": {"internal_name": "binance"},
                "auth_details": {"credential_ref": "env:bot"},
            },
        }
    )


async def publish(
    server: CommunityServer,
    state: AutomationState,
    *,
    changed: tuple[str, ...] = ("orders",),
    market: Prices | None = None,
    community: HttpCommunity | None = None,
) -> str | None:
    prices = cast("MarketData", market or Prices(BTC="50000", USDT="1"))
    return await publish_snapshot(state, changed, community or server.community(), prices)


def published(server: CommunityServer) -> LeaderSnapshot:
    return LeaderSnapshot.model_validate(server.snapshots["dips"])


async def test_assets_and_orders_are_told_as_shares_of_the_account() -> None:
    async with serving(bot=CANARY) as server:
        assert await publish(server, leader(strategy_version="2")) is None

    snapshot = published(server)
    assert [(one.asset, str(one.ratio)) for one in snapshot.assets] == [("USDT", "0.75"), ("BTC", "0.25")]
    (order,) = snapshot.open_orders
    assert (order.symbol, order.side, order.price, order.ratio) == (
        "BTC/USDT",
        "sell",
        Decimal(70_000),
        Decimal("0.125"),
    )
    assert (snapshot.strategy_version, snapshot.iteration, snapshot.at) == ("2", 4, 1_700_000_000)
    assert "0.02" not in str(server.snapshots)


async def test_the_log_says_what_changed() -> None:
    async with serving(bot=CANARY) as server:
        await publish(server, leader(), changed=("orders", "portfolio"))

    (entry,) = server.log
    assert (entry["strategy"], entry["iteration"], entry["text"]) == ("dips", 4, "changed: orders, portfolio")


async def test_a_strategy_without_a_name_is_named_after_its_automation() -> None:
    async with serving(bot=CANARY) as server:
        await publish(server, leader(strategy_id=None))
    assert list(server.snapshots) == ["bot"]


@pytest.mark.parametrize(("emits", "changed"), [(False, ("orders",)), (True, ())])
async def test_nothing_is_published_without_leave_or_without_a_change(
    emits: bool, changed: tuple[str, ...]
) -> None:
    async with serving(bot=CANARY) as server:
        assert await publish(server, leader(emit_signals=emits), changed=changed) is None
    assert not server.requests


async def test_an_asset_without_a_price_has_no_share() -> None:
    async with serving(bot=CANARY) as server:
        await publish(server, leader(), market=Prices(USDT="1"))

    assert [(one.asset, one.ratio) for one in published(server).assets] == [("USDT", 1), ("BTC", None)]
    assert published(server).open_orders[0].ratio is None


async def test_the_smallest_assets_are_left_out_where_there_are_too_many() -> None:
    state = leader()
    assert state.automation.exchange_account_elements is not None
    held = state.automation.exchange_account_elements.portfolio.content
    coins = {f"C{number}": str(number + 1) for number in range(MAX_ASSETS)}
    for coin in coins:
        held[Asset(coin)] = held[Asset("USDT")]
    async with serving(bot=CANARY) as server:
        await publish(server, state, market=Prices(BTC="50000", USDT="0.5", **coins))

    assert len(published(server).assets) == MAX_ASSETS
    assert published(server).left_out == 2
    assert {"BTC", "USDT"}.isdisjoint(one.asset for one in published(server).assets)


@pytest.mark.parametrize(
    ("market", "note"),
    [(NoPrices(), "binance does not answer"), (Broken(), "ZeroDivisionError")],
    ids=["no prices", "unforeseen"],
)
async def test_a_failure_on_this_side_is_a_note(market: Prices, note: str) -> None:
    async with serving(bot=CANARY) as server:
        assert await publish(server, leader(), market=market) == f"the snapshot was not published: {note}"


@pytest.mark.parametrize("status", [302, 401, 404, 413, 429, 500])
async def test_a_failure_of_the_community_is_a_note_without_the_token(status: int) -> None:
    async with serving(bot=CANARY) as server:
        server.answer = (status, f"not you, {CANARY}")
        note = await publish(server, leader())
    assert note is not None
    assert f"HTTP {status}" in note
    assert CANARY not in note


async def test_a_leader_without_a_token_goes_on() -> None:
    async with serving(other=CANARY) as server:
        note = await publish(server, leader())
    assert note is not None
    assert "no token" in note


async def test_a_worker_that_is_asked_to_end_meanwhile_keeps_what_was_done() -> None:
    async with serving(bot=CANARY) as server:
        server.open.clear()
        publishing = asyncio.create_task(publish(server, leader()))
        await server.reached.wait()
        publishing.cancel()
        assert await publishing == "the snapshot was not published: CancelledError"
        assert await server.all_connections_are_closed()
