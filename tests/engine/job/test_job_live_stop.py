"""The end of a live automation: what is under way is settled first, open orders are cancelled when asked."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ActionStatus
from engine.job.outcome import InvocationStatus
from engine.live.venue.api import Refused, Unclear
from tests.support.builders import NOW, Invoked, action, automation, paper
from tests.support.live_job import LiveRun
from tests.support.market import flat_market
from tests.support.memory_exchange import LIKE_BINANCE, MemoryExchange

LIMIT = "limit('buy', 'BTC/USDT', 0.01, 40000)"
FENCE = 6.0
QUARTER = 900.0


async def test_planned_effects_are_dropped_and_nothing_runs() -> None:
    run = LiveRun(action("buy", LIMIT), action("other", "1"))
    await run.invoke(NOW)
    outcome = await run.invoke(NOW + 1, stopping=True)

    assert (outcome.status, outcome.next_due_at) == (InvocationStatus.STOPPED, None)
    assert (run.exchange.sent, run.pending, run.completed) == ([], [], [])


async def test_what_was_sent_is_looked_up_before_the_automation_ends() -> None:
    run = LiveRun(action("buy", LIMIT))
    await run.invoke(NOW)
    run.exchange.will_answer(Unclear("timed out"))
    await run.invoke(NOW + 1)

    outcome = await run.invoke(NOW + 2, stopping=True)
    assert (outcome.status, outcome.next_due_at) == (InvocationStatus.RUNNING, NOW + 1 + FENCE)

    outcome = await run.invoke(NOW + 1 + FENCE, stopping=True)
    assert (outcome.status, run.exchange.orders) == (InvocationStatus.STOPPED, {})


async def test_an_order_that_arrived_after_all_is_cancelled_with_the_others() -> None:
    run = LiveRun(action("buy", LIMIT), action("wait", "wait(1000)"))
    await run.invoke(NOW)
    run.exchange.will_answer(Unclear("timed out"), happens=True)
    await run.invoke(NOW + 1)

    outcome = await run.invoke(NOW + 8, stopping=True, cancel_open_orders=True)
    assert (outcome.status, outcome.next_due_at) == (InvocationStatus.RUNNING, NOW + 8)
    assert [one.what for one in outcome.pending_effects] == ["cancel the order 1 on BTC/USDT"]

    outcome = await run.invoke(NOW + 9, stopping=True, cancel_open_orders=True)
    assert outcome.status is InvocationStatus.STOPPED
    assert (run.kinds_sent, run.open_orders) == (["create_order", "cancel_order"], [])


async def test_without_being_asked_to_no_order_is_cancelled() -> None:
    run = LiveRun(action("buy", LIMIT), action("wait", "wait(1000)"))
    await run.settle(NOW)
    outcome = await run.invoke(NOW + 1, stopping=True)
    assert outcome.status is InvocationStatus.STOPPED
    assert len(run.open_orders) == 1


async def test_exits_of_orders_that_stay_open_are_named_as_unprotected() -> None:
    run = LiveRun(action("buy", "limit('buy', 'BTC/USDT', 0.01, 40000, stop_loss_price='-5%')"))
    await run.settle(NOW)
    outcome = await run.invoke(NOW + 1, stopping=True)
    assert outcome.notes == ["exits that hang on open orders are not placed any more, when those fill: 1"]


async def test_an_automation_that_goes_on_after_all_keeps_its_orders_and_the_exits_that_wait() -> None:
    exits = "stop_loss_price='-10%', take_profit_prices=['10%']"
    run = LiveRun(action("buy", f"market('buy', 'BTC/USDT', 0.01, {exits})"), action("wait", "wait(100000)"))
    await run.settle(NOW)
    await run.invoke(NOW + 60, stopping=True, cancel_open_orders=True)
    assert [one["kind"] for one in run.pending] == ["cancel_order"]

    await run.settle(NOW + 3_600)  # the stop came to nothing, for nobody answered in time

    orders = run.state["automation"]["exchange_account_elements"]["orders"]
    assert [len(orders[name]) for name in ("open_orders", "inactive_orders")] == [1, 1]
    assert "cancel_order" not in run.kinds_sent


async def test_a_refused_cancellation_does_not_keep_the_automation_alive() -> None:
    run = LiveRun(action("buy", LIMIT), action("wait", "wait(1000)"))
    await run.settle(NOW)
    await run.invoke(NOW + 1, stopping=True, cancel_open_orders=True)
    run.exchange.will_answer(Refused(ActionStatus.INVALID_ORDER, "the market is closed"))

    outcome = await run.settle(NOW + 2, stopping=True, cancel_open_orders=True)

    assert outcome.status is InvocationStatus.STOPPED
    assert any("the market is closed" in note for note in outcome.notes)


async def test_exits_of_an_entry_that_filled_meanwhile_are_not_placed_any_more() -> None:
    run = LiveRun(action("buy", "limit('buy', 'BTC/USDT', 0.01, 40000, stop_loss_price='-5%')"))
    await run.settle(NOW)
    run.exchange.fill("1")

    outcome = await run.settle(NOW + 1, stopping=True, cancel_open_orders=True)

    assert outcome.status is InvocationStatus.STOPPED
    assert run.kinds_sent == ["create_order"]
    assert any("not placed, since the automation stops" in note for note in outcome.notes)


async def test_what_no_look_up_settles_is_left_to_a_person_by_name() -> None:
    blind = LIKE_BINANCE.__class__(length=36)
    run = LiveRun(action("buy", LIMIT), exchange=MemoryExchange(capabilities=blind))
    await run.invoke(NOW)
    run.exchange.will_answer(Unclear("timed out"))
    await run.invoke(NOW + 1)
    key = run.pending[0]["key"]

    outcome = await run.invoke(NOW + 2, stopping=True)

    assert outcome.status is InvocationStatus.STOPPED
    assert any(key in note and "compare with the exchange" in note for note in outcome.notes)
    assert [one.status for one in outcome.pending_effects] == ["unresolved"]


async def test_a_script_that_stops_the_automation_waits_for_what_is_under_way() -> None:
    run = LiveRun(action("buy", LIMIT), action("end", "[wait(2), stop_automation()]"))
    await run.invoke(NOW)
    run.exchange.will_answer(Unclear("timed out"))
    await run.invoke(NOW + 1)
    await run.invoke(NOW + 1)
    outcome = await run.invoke(NOW + 3)
    assert outcome.status is InvocationStatus.RUNNING

    outcome = await run.settle(NOW + 1 + FENCE)
    assert (outcome.status, run.pending) == (InvocationStatus.STOPPED, [])


async def test_on_paper_open_orders_are_cancelled_at_once(tmp_path: Path) -> None:
    start = int(NOW) - int(NOW) % 3_600 - 250 * 3_600
    market = flat_market(tmp_path, start=start, BTC=50_000)
    state = automation(action("buy", "limit('buy', 'BTC/USDT', 0.01, 40000)"), action("wait", "wait(1000)"))
    run = Invoked(paper(state, {"USDT": 1_000}, recorded={"folder": market}))
    await run.invoke(NOW - 3_600)
    orders = run.state["automation"]["exchange_account_elements"]["orders"]
    assert len(orders["open_orders"]) == 1

    outcome = await run.invoke(NOW - 3_599, stopping=True, cancel_open_orders=True)

    assert (outcome.status, outcome.next_due_at) == (InvocationStatus.STOPPED, None)
    assert outcome.notes == ["1 open order was cancelled"]
    elements = run.state["automation"]["exchange_account_elements"]
    assert "open_orders" not in elements["orders"]
    assert elements["portfolio"]["content"]["USDT"] == {"available": "1000", "total": "1000"}


async def test_on_paper_a_stop_alone_runs_nothing() -> None:
    run = Invoked(automation(action("a", "1")))
    outcome = await run.invoke(stopping=True)
    assert (outcome.status, outcome.executed_count, run.completed) == (InvocationStatus.STOPPED, 0, [])
