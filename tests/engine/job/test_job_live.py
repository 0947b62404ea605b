"""`AutomationJob` on a live account: an effect is planned, recorded, sent, and told to the waiting script."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from engine.errors import ActionStatus, ConfigurationError, PostponedError, RetryableError
from engine.job.outcome import InvocationStatus
from engine.job.services import EngineSettings
from engine.live.venue.api import Refused, Unclear
from engine.state import Portfolio
from engine.types import Asset
from tests.support.builders import NOW, action
from tests.support.live_job import LiveRun
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import BTC

LIMIT = "limit('buy', 'BTC/USDT', 0.01, 40000)"
MARKET = "market('buy', 'BTC/USDT', 0.001)"
FENCE = 6.0


def last_keys(run: LiveRun) -> list[str]:
    return [intent["key"] for intent in run.pending]


async def test_limit_then_wait_then_cancel_takes_four_invocations() -> None:
    run = LiveRun(
        action("buy", LIMIT),
        action("pause", "wait(50, 100)", "buy"),
        action("cancel", "cancel_order('BTC/USDT')", "pause"),
    )

    outcome = await run.invoke(NOW)
    assert (outcome.next_due_at, outcome.status) == (NOW, InvocationStatus.RUNNING)
    assert run.exchange.sent == []
    assert [(one.action_id, one.status) for one in outcome.pending_effects] == [("buy", "planned")]
    assert outcome.pending_effects[0].what == "limit buy 0.01 BTC/USDT at 40000"

    outcome = await run.invoke(NOW + 1)
    assert run.kinds_sent == ["create_order"]
    assert run.result("buy")["created_orders"][0]["status"] == "open"
    assert outcome.pending_count == 0
    due = outcome.next_due_at
    assert due is not None
    assert 50 <= due - (NOW + 1) <= 100
    assert [order["price"] for order in run.open_orders] == ["40000"]

    outcome = await run.invoke(due)
    assert (outcome.next_due_at, run.kinds_sent) == (due, ["create_order"])
    assert run.result("pause") is None

    outcome = await run.invoke(due + 1)
    assert run.kinds_sent == ["create_order", "cancel_order"]
    assert run.result("cancel") == {"cancelled_orders": ["1"]}
    assert (outcome.status, run.open_orders) == (InvocationStatus.FINISHED, [])


async def test_a_market_order_before_and_one_after_a_wait_are_each_sent_once() -> None:
    run = LiveRun(action("twice", f"[{MARKET}, wait(60), {MARKET}]"))
    outcome = await run.settle(NOW)
    assert run.kinds_sent == ["create_order"]
    assert outcome.next_due_at == NOW + 60

    outcome = await run.settle(NOW + 60)

    assert run.kinds_sent == ["create_order"] * 2
    assert len(run.exchange.orders) == 2
    assert outcome.status is InvocationStatus.FINISHED
    first, waited, second = run.result("twice")
    assert waited is None
    assert first["created_orders"][0]["id"] != second["created_orders"][0]["id"]


async def test_an_invocation_whose_result_was_lost_plans_the_same_again() -> None:
    run = LiveRun(action("buy", MARKET))
    before = copy.deepcopy(run.state)
    await run.invoke(NOW)
    planned = last_keys(run)

    run.state = before
    run.exchange.market.prices[BTC] *= 2
    await run.invoke(NOW + 5)

    assert last_keys(run) == planned


async def test_a_sending_invocation_whose_result_was_lost_sends_nothing_twice() -> None:
    run = LiveRun(action("buy", "market('buy', 'BTC/USDT', '10%')"))
    await run.invoke(NOW)
    planned = copy.deepcopy(run.state)
    await run.invoke(NOW + 1)

    run.state = planned
    run.exchange.market.prices[BTC] *= 2
    outcome = await run.invoke(NOW + 8)

    assert run.kinds_sent == ["create_order"]
    assert outcome.status is InvocationStatus.FINISHED
    assert run.result("buy")["created_orders"][0]["id"] == "1"
    assert run.held("BTC") == run.exchange.balances[Asset("BTC")]


async def test_prices_that_move_between_planning_and_sending_change_nothing_of_the_order() -> None:
    run = LiveRun(action("buy", "limit('buy', 'BTC/USDT', '10%', '-2%')"))
    await run.invoke(NOW)
    fixed = run.pending[0]["params"]
    run.exchange.market.prices[BTC] += 1_000

    await run.invoke(NOW + 1)

    sent = run.exchange.sent[0].params
    assert (sent["amount"], sent["price"]) == (fixed["amount"], fixed["price"]) == ("0.002", "49000")


async def test_a_refusal_ends_the_action_with_its_status() -> None:
    run = LiveRun(action("buy", MARKET), action("after", "1", "buy"))
    run.exchange.will_answer(Refused(ActionStatus.INVALID_ORDER, "Filter failure: NOTIONAL"))
    await run.settle(NOW)

    assert run.action("buy")["error_status"] == "invalid_order"
    assert "NOTIONAL" in run.action("buy")["error_message"]
    assert run.result("after") == 1


async def test_if_error_sees_a_refusal() -> None:
    run = LiveRun(action("buy", f"if_error({MARKET}, {LIMIT})"))
    run.exchange.will_answer(Refused(ActionStatus.NOT_ENOUGH_FUNDS, "insufficient balance"))
    await run.settle(NOW)

    assert run.kinds_sent == ["create_order"] * 2
    assert run.result("buy")["created_orders"][0]["type"] == "limit"


async def test_only_the_first_of_several_ready_actions_plans_in_an_invocation() -> None:
    run = LiveRun(action("a", MARKET), action("b", MARKET), action("c", "1"))
    planned: list[list[str]] = []
    for second in range(4):
        await run.invoke(NOW + second)
        planned.append([intent["action_id"] for intent in run.pending])

    assert planned == [["a"], ["b"], [], []]
    assert run.completed == ["a", "b", "c"]
    assert len(run.exchange.orders) == 2


async def test_effects_are_counted_for_the_action_when_they_are_confirmed() -> None:
    run = LiveRun(action("buy", MARKET))
    planning = await run.invoke(NOW)
    sending = await run.invoke(NOW + 1)

    assert [(one.status, one.effects) for one in planning.executed] == [("waiting", 0)]
    assert [(one.status, one.effects) for one in sending.executed] == [("ok", 1)]


async def test_an_effect_that_grew_too_old_is_dropped_and_its_call_evaluated_anew() -> None:
    run = LiveRun(action("buy", "limit('buy', 'BTC/USDT', '10%', '-2%')"))
    await run.invoke(NOW)
    first = last_keys(run)
    run.exchange.market.prices[BTC] += 10_000

    await run.invoke(NOW + 3_600)

    assert run.exchange.sent == []
    assert last_keys(run) != first
    assert run.pending[0]["params"]["price"] == "58800"


async def test_what_may_have_happened_is_looked_up_behind_the_fence_and_adopted() -> None:
    run = LiveRun(action("buy", LIMIT), action("other", "wait(1000)"))
    await run.invoke(NOW)
    run.exchange.will_answer(Unclear("the connection was lost"), happens=True)

    outcome = await run.invoke(NOW + 1)
    assert [one.status for one in outcome.pending_effects] == ["tried"]
    assert outcome.next_due_at is not None
    assert NOW + 1 < outcome.next_due_at <= NOW + 1 + FENCE

    await run.invoke(NOW + 1 + FENCE)
    assert (run.kinds_sent, len(run.exchange.orders)) == (["create_order"], 1)
    assert run.result("buy")["created_orders"][0]["status"] == "open"


async def test_a_script_that_changed_while_its_order_was_placed_does_not_place_it_again() -> None:
    run = LiveRun(action("buy", MARKET))
    await run.invoke(NOW)
    run.action("buy")["dsl_script"] = f"[{MARKET}]"
    await run.settle(NOW + 1)

    assert len(run.exchange.orders) == 1
    assert run.action("buy")["error_status"] == "dsl_execution_error"
    assert "1 of 1 happened" in run.action("buy")["error_message"]


async def test_nothing_is_sent_of_a_script_that_cannot_be_suspended() -> None:
    run = LiveRun(action("buy", f"['{'x' * 9_000}' * 9, {MARKET}]"), action("next", LIMIT))
    await run.settle(NOW)

    assert run.action("buy")["error_status"] == "limit_exceeded"
    assert [report.kind for report in run.exchange.orders.values()] == ["limit"]
    assert run.pending == []


async def test_nothing_is_planned_without_room_in_the_state() -> None:
    run = LiveRun(action("buy", MARKET), settings=EngineSettings(max_state_bytes=16_000))
    await run.settle(NOW)

    assert run.action("buy")["error_status"] == "limit_exceeded"
    assert "state" in run.action("buy")["error_message"]
    assert (run.pending, run.exchange.sent) == ([], [])


async def test_keys_of_effects_derive_from_the_run_alone() -> None:
    first, seeded, other = (
        LiveRun(action("a", MARKET)),
        LiveRun(action("a", MARKET)),
        LiveRun(action("a", MARKET)),
    )
    seeded.state["automation"]["metadata"]["seed"] = "seed"
    other.state["automation"]["metadata"]["run_key"] = "another"
    for run in (first, seeded, other):
        await run.invoke(NOW)

    assert last_keys(first) == last_keys(seeded) != last_keys(other)


async def test_however_many_effects_are_under_way_the_outcome_is_small() -> None:
    run = LiveRun(action("a", "1"), approval="required")
    intent = {
        "action_id": "a" * 200, "call_site": "market#1", "leg": "0", "kind": "create_order",
        "planned_at": NOW, "status": "awaiting_approval",
        "params": {"type": "limit", "side": "buy", "amount": "1", "symbol": "BTC/USDT", "price": "1"},
    }  # fmt: skip
    keys = [f"{number:032x}" for number in range(500)]
    run.state["automation"]["execution"] = {"pending_effects": [{**intent, "key": key} for key in keys]}
    outcome = await run.invoke(NOW)

    assert outcome.pending_count == 500
    assert 10 <= len(outcome.pending_effects) <= 50
    assert len(outcome.model_dump_json().encode()) < 32_768


@pytest.mark.parametrize(
    ("failure", "reason", "message", "due_in"),
    [
        (RetryableError("no answer", retry_after=30), "temporary_failure", "no answer", 30),
        (RetryableError("no answer"), "temporary_failure", "no answer", 10),
        (ConfigurationError("no such market", code="gone"), "gone", "no such market", 10),
        (RuntimeError("with a secret in it"), "interrupted", "RuntimeError after effects", 10),
        (PostponedError("bad key", reason="authentication"), "authentication", "bad key", 1_800),
    ],
)
async def test_state_survives_whatever_fails_after_an_order_was_sent(
    failure: Exception, reason: str, message: str, due_in: int
) -> None:
    exchange = MemoryExchange()
    run = LiveRun(action("buy", MARKET), exchange=exchange)
    await run.invoke(NOW)

    async def fail_from_now_on() -> None:
        exchange.read_error = failure

    exchange.on_the_way = fail_from_now_on
    outcome = await run.invoke(NOW + 1)

    postponed = isinstance(failure, PostponedError)
    assert outcome.status == ("postponed" if postponed else "running")
    assert outcome.next_due_at == NOW + 1 + due_in
    assert outcome.notes[-1] == f"{reason}: {message}"
    assert (run.pending, run.kinds_sent) == ([], ["create_order"])
    degraded = run.state["automation"]["execution"]["degraded_state"]
    assert degraded == {"since": NOW + 1, "reason": reason, "error": message, "count": 1}

    exchange.read_error, exchange.on_the_way = None, MemoryExchange().on_the_way
    await run.invoke(outcome.next_due_at)
    assert run.completed == ["buy"]
    assert "degraded_state" not in run.state["automation"]["execution"]


async def test_before_anything_was_sent_a_silent_exchange_costs_the_invocation() -> None:
    run = LiveRun(action("buy", MARKET))
    await run.invoke(NOW)
    run.exchange.read_error = RetryableError("no answer")
    with pytest.raises(RetryableError):
        await run.invoke(NOW + 1)

    assert len(run.pending) == 1
    assert run.exchange.closed == run.exchange.opened


async def test_a_cancelled_invocation_still_returns_what_it_did() -> None:
    exchange = MemoryExchange()
    run = LiveRun(action("buy", MARKET), exchange=exchange)
    await run.invoke(NOW)
    under_way, let_on = asyncio.Event(), asyncio.Event()

    async def linger() -> None:
        under_way.set()
        await let_on.wait()

    exchange.on_the_way = linger
    task = asyncio.create_task(run.invoke(NOW + 1))
    await under_way.wait()
    task.cancel()
    let_on.set()
    outcome = await task

    assert outcome.next_due_at is not None
    assert (len(exchange.orders), run.pending) == (1, [])
    assert exchange.closed == exchange.opened


async def test_an_invocation_that_is_cancelled_after_an_order_was_sent_returns_what_it_did() -> None:
    exchange = Unhurried()
    run = LiveRun(action("buy", MARKET), exchange=exchange)
    await run.invoke(NOW)
    task = asyncio.create_task(run.invoke(NOW + 1))
    await exchange.is_reading.wait()
    task.cancel()
    outcome = await task

    assert (outcome.next_due_at, run.pending) == (NOW + 11, [])
    assert outcome.notes[-1].startswith("interrupted: ")


class Unhurried(MemoryExchange):
    """An exchange that does not come back to the balance once it has taken an order."""

    def __init__(self) -> None:
        super().__init__()
        self.is_reading = asyncio.Event()

    async def portfolio(self) -> Portfolio:
        if self.sent:
            self.is_reading.set()
            await asyncio.Event().wait()
        return await super().portfolio()


async def test_a_decision_about_an_effect_that_is_not_there_is_refused() -> None:
    run = LiveRun(action("a", "1"))
    with pytest.raises(ConfigurationError) as caught:
        await run.invoke(NOW, approved=["nothing"])
    assert caught.value.code == "unknown_intent"


async def test_the_same_request_gives_the_same_bytes() -> None:
    states: list[dict[str, Any]] = []
    for _ in range(2):
        run = LiveRun(action("buy", LIMIT), action("pause", "wait(50, 100)", "buy"))
        await run.invoke(NOW)
        await run.invoke(NOW + 1)
        states.append(run.state)
    assert states[0] == states[1]
