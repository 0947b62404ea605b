"""What waits for effects under way on a live account: forced runs, messages, rounds, pauses."""

from __future__ import annotations

from decimal import Decimal

from engine.live.venue.api import Unclear
from engine.state import TriggerReason
from engine.types import ActionId
from tests.support.builders import NOW, action
from tests.support.live_job import LiveRun

LIMIT = "limit('buy', 'BTC/USDT', 0.01, 40000)"
MARKET = "market('buy', 'BTC/USDT', 0.001)"
FENCE = 6.0


async def test_an_action_with_effects_under_way_is_not_run_even_when_forced() -> None:
    run = LiveRun(action("buy", LIMIT))
    await run.invoke(NOW)
    run.exchange.will_answer(Unclear("timed out"))
    await run.invoke(NOW + 1)
    suspension = run.action("buy")["suspension"]

    outcome = await run.invoke(NOW + 2, TriggerReason.FORCED)

    assert outcome.executed_count == 0
    assert run.action("buy")["suspension"] == suspension


async def test_priority_actions_go_first_while_effects_of_the_dag_are_still_carried_out() -> None:
    run = LiveRun(action("buy", MARKET))
    await run.invoke(NOW)
    outcome = await run.invoke(NOW + 1, priority_actions=[action("ask", "total('USDT')")])

    assert run.kinds_sent == ["create_order"]
    assert (run.completed, outcome.next_due_at) == ([], NOW + 1)
    assert Decimal(outcome.values[ActionId("ask")]) < 1_000

    await run.invoke(NOW + 2)
    assert run.completed == ["buy"]
    assert len(run.exchange.orders) == 1


async def test_an_order_asked_for_by_a_message_is_answered_when_it_is_placed() -> None:
    run = LiveRun(action("later", "wait(1000)"))
    await run.invoke(NOW)
    outcome = await run.invoke(NOW + 1, priority_actions=[action("now", MARKET)])
    assert (outcome.next_due_at, outcome.waiting) == (NOW + 1, {})

    outcome = await run.invoke(NOW + 2)
    assert outcome.values[ActionId("now")]["created_orders"][0]["status"] == "closed"


async def test_a_restarted_action_waits_for_the_effects_of_its_former_life() -> None:
    run = LiveRun(action("buy", LIMIT))
    await run.invoke(NOW)
    run.exchange.will_answer(Unclear("timed out"))
    await run.invoke(NOW + 1)

    outcome = await run.invoke(NOW + 2, priority_actions=[action("again", "restart('buy')")])
    assert "suspension" not in run.action("buy")
    assert (len(run.pending), outcome.next_due_at) == (1, NOW + 1 + FENCE)

    outcome = await run.invoke(NOW + 1 + FENCE)
    assert any("placed, but the action was started anew meanwhile" in note for note in outcome.notes)
    assert [one.status for one in outcome.pending_effects] == ["planned"]
    await run.invoke(NOW + 2 + FENCE)
    assert len(run.exchange.orders) == len(run.open_orders) == 2


async def test_the_next_round_waits_for_effects_under_way() -> None:
    run = LiveRun(action("buy", MARKET), schedule={"every": 3_600})
    await run.invoke(NOW)
    run.exchange.will_answer(Unclear("timed out"))
    outcome = await run.invoke(NOW + 1)
    assert outcome.next_due_at == NOW + 1 + FENCE

    outcome = await run.settle(NOW + 1 + FENCE)
    assert outcome.next_due_at == NOW + 3_600
    assert len(run.exchange.orders) == 1


async def test_the_next_round_waits_for_the_exits_of_this_one() -> None:
    run = LiveRun(
        action("buy", "limit('buy', 'BTC/USDT', 0.01, 40000, stop_loss_price='-5%')"),
        action("pause", "wait(100)", "buy"),
        schedule={"every": 3_600},
    )
    await run.settle(NOW)
    run.exchange.fill("1")
    await run.invoke(NOW + 97)
    run.exchange.will_answer(Unclear("timed out"), happens=False)
    await run.invoke(NOW + 98)

    await run.invoke(NOW + 100)
    assert (run.completed, len(run.pending)) == (["buy", "pause"], 1)

    await run.settle(NOW + 98 + FENCE)
    assert (run.completed, [order["type"] for order in run.open_orders]) == ([], ["stop_loss"])
    assert run.action("buy")["not_before"] == NOW + 3_600


async def test_a_paused_automation_looks_up_what_was_sent_and_holds_the_rest() -> None:
    run = LiveRun(action("a", MARKET), action("b", "wait(1000)"))
    await run.invoke(NOW)
    await run.invoke(NOW + 1, paused=True)
    assert (run.exchange.sent, len(run.pending)) == ([], 1)

    run.exchange.will_answer(Unclear("timed out"), happens=True)
    await run.invoke(NOW + 2)
    await run.invoke(NOW + 2 + FENCE, paused=True)
    assert (len(run.exchange.sent), run.pending, run.completed) == (1, [], [])

    await run.invoke(NOW + 3 + FENCE)
    assert run.completed == ["a"]


async def test_a_paused_automation_answers_messages_and_holds_the_exits_of_a_fill() -> None:
    run = LiveRun(action("buy", "limit('buy', 'BTC/USDT', 0.01, 40000, stop_loss_price='-5%')"))
    await run.settle(NOW)
    run.exchange.fill("1")

    await run.invoke(NOW + 1, paused=True, priority_actions=[action("ask", "total('BTC')")])
    outcome = await run.invoke(NOW + 2, paused=True)
    assert outcome.values == {"ask": "1.00999"}
    assert ([intent["leg"] for intent in run.pending], run.kinds_sent) == (["0/stop"], ["create_order"])

    await run.settle(NOW + 3)
    assert [order["type"] for order in run.open_orders] == ["stop_loss"]
