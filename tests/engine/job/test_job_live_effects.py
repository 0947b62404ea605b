"""What each effect operator gives to its script on a live account: the same as on paper, leg by leg."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.effects.transfers import TransferPolicy
from engine.errors import ActionStatus
from engine.job.services import EngineSettings, Services
from engine.live.venue.api import Refused
from engine.market.market import Bounds, generic_market
from engine.types import Asset
from tests.support.builders import NOW, Invoked, action, paper, scripts
from tests.support.live_job import LiveRun
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import BTC, MemoryMarket


def taking_at_most(amount: str) -> MemoryExchange:
    """An exchange whose orders have a largest amount."""
    rules = replace(generic_market(BTC), amount=Bounds(maximum=Decimal(amount)))
    return MemoryExchange(markets=[rules])


async def test_an_order_and_its_exits_look_to_scripts_as_on_paper() -> None:
    script = "limit('buy', 'BTC/USDT', 0.01, 40000, stop_loss_price='-5%')"
    run = LiveRun(action("buy", script))
    market = MemoryMarket({"BTC/USDT": 50_000})
    simulated = Invoked(paper(scripts(script), {"USDT": 1_000}), Services(market_source=lambda _: market))
    await run.settle(NOW)
    await simulated.invoke(NOW)

    (placed,) = run.result("buy")["created_orders"]
    (on_paper,) = simulated.result("a0")["created_orders"]
    assert placed.keys() == on_paper.keys()
    assert "origin" not in placed
    assert placed["chained"][0].keys() == on_paper["chained"][0].keys() == placed.keys()


async def test_an_order_in_parts_is_planned_and_told_as_one() -> None:
    run = LiveRun(action("buy", "market('buy', 'BTC/USDT', 0.005)"), exchange=taking_at_most("0.002"))
    await run.invoke(NOW)
    assert [intent["leg"] for intent in run.pending] == ["0", "1", "2"]

    outcome = await run.invoke(NOW + 1)
    amounts = [order["amount"]["$dec"] for order in run.result("buy")["created_orders"]]
    assert amounts == ["0.001", "0.002", "0.002"]
    assert outcome.executed[0].effects == 3


async def test_a_part_that_is_refused_does_not_take_the_others_with_it() -> None:
    run = LiveRun(action("buy", "market('buy', 'BTC/USDT', 0.005)"), exchange=taking_at_most("0.002"))
    await run.invoke(NOW)
    run.exchange.will_answer(Refused(ActionStatus.INVALID_ORDER, "Filter failure: NOTIONAL"))
    outcome = await run.invoke(NOW + 1)

    assert len(run.result("buy")["created_orders"]) == 2
    assert outcome.executed[0].effects == 2
    assert outcome.notes == ["market: 1 of 3 did not happen: Filter failure: NOTIONAL"]


async def test_an_order_that_filled_before_its_cancellation_was_not_cancelled() -> None:
    run = LiveRun(
        action("buy", "limit('buy', 'BTC/USDT', 0.01, 40000)"),
        action("cancel", "cancel_order('BTC/USDT')", "buy"),
    )
    for second in range(2):
        await run.invoke(NOW + second)
    assert [intent["kind"] for intent in run.pending] == ["cancel_order"]
    run.exchange.fill("1")
    await run.settle(NOW + 2)

    assert run.action("cancel")["error_status"] == "order_not_found"
    assert run.held("BTC") == run.exchange.balances[Asset("BTC")]


async def test_funds_are_sent_once_where_the_worker_allows_it() -> None:
    settings = EngineSettings(transfers=TransferPolicy(allowed=True, addresses=frozenset({"Txyz"})))
    run = LiveRun(action("send", "withdraw('USDT', 'TRX', 'Txyz', 100)"), settings=settings)
    await run.settle(NOW)

    sent = run.result("send")["withdrawal"]
    assert (sent["asset"], sent["amount"], sent["address_to"]) == ("USDT", {"$dec": "100"}, "Txyz")
    assert run.kinds_sent == ["withdraw"]
    assert run.held("USDT") == 900


async def test_nothing_is_planned_where_the_worker_moves_no_funds() -> None:
    run = LiveRun(action("send", "withdraw('USDT', 'TRX', 'Txyz', 100)"))
    await run.settle(NOW)
    assert run.action("send")["error_status"] == "disabled_funds_transfer_error"
    assert run.exchange.sent == []


async def test_a_leverage_is_told_when_the_exchange_has_set_it() -> None:
    exchange = MemoryExchange({"BTC/USDT:USDT": 50_000}, {"USDT": 1_000})
    run = LiveRun(action("set", "set_leverage('BTC/USDT:USDT', 3)"), exchange=exchange)
    run.state["exchange_account_details"]["exchange_details"]["exchange_type"] = "future"
    await run.invoke(NOW)
    assert [intent["kind"] for intent in run.pending] == ["set_leverage"]

    await run.invoke(NOW + 1)
    assert run.result("set") == {"symbol": "BTC/USDT:USDT", "leverage": {"$dec": "3"}}
    assert exchange.leverages == {"BTC/USDT:USDT": 3}
