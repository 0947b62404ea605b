"""What does not pass within minutes: live automations are postponed, say since when and why, and recover."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.effects.transfers import TransferPolicy
from engine.errors import ActionStatus, ConfigurationError, PostponedError, RetryableError
from engine.exchanges.key_rights import KeyRights
from engine.job.outcome import InvocationStatus
from engine.job.services import EngineSettings
from engine.live.venue.api import Refused, Unclear
from engine.market.market import Bounds, generic_market
from engine.state import TriggerReason
from engine.types import Asset
from tests.support.builders import NOW, action
from tests.support.live_job import LiveRun
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import BTC

LIMIT = "limit('buy', 'BTC/USDT', 0.01, 40000)"
HALF_HOUR = 1_800.0
HOUR = 3_600.0


def degraded(run: LiveRun) -> dict[str, Any]:
    state: dict[str, Any] = run.state["automation"]["execution"].get("degraded_state", {})
    return state


async def test_refused_credentials_postpone_for_longer_each_time_until_they_are_taken() -> None:
    run = LiveRun(action("ask", "total('USDT')"))
    run.exchange.read_error = PostponedError("Invalid API-key, IP, or permissions", reason="authentication")

    now, delays = NOW, []
    for count in range(1, 6):
        outcome = await run.invoke(now)
        assert outcome.status is InvocationStatus.POSTPONED
        assert outcome.notes[-1] == "authentication: Invalid API-key, IP, or permissions"
        assert (degraded(run)["since"], degraded(run)["count"]) == (NOW, count)
        assert outcome.next_due_at is not None
        delays.append(outcome.next_due_at - now)
        now = outcome.next_due_at
    assert delays == [HALF_HOUR, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR]

    run.exchange.read_error = None
    outcome = await run.invoke(now)
    assert (outcome.status, degraded(run)) == (InvocationStatus.FINISHED, {})
    assert run.completed == ["ask"]


async def test_another_reason_is_waited_for_from_its_own_beginning() -> None:
    run = LiveRun(action("ask", "total('USDT')"))
    run.exchange.read_error = PostponedError("bad key", reason="authentication")
    await run.invoke(NOW)
    await run.invoke(NOW + HALF_HOUR)
    run.exchange.read_error = PostponedError("maintenance", reason="maintenance")

    outcome = await run.invoke(NOW + 2 * HOUR)

    assert outcome.next_due_at == NOW + 2 * HOUR + 300
    assert degraded(run) == {"since": NOW, "reason": "maintenance", "error": "maintenance", "count": 1}


async def test_a_postponed_automation_keeps_the_actions_that_messages_brought() -> None:
    run = LiveRun(action("later", "wait(100000)"))
    await run.invoke(NOW)
    run.exchange.read_error = PostponedError("bad key", reason="authentication")
    await run.invoke(NOW + 1, priority_actions=[action("ask", "total('USDT')")])
    run.exchange.read_error = None

    await run.invoke(NOW + HALF_HOUR + 1)

    assert run.result("ask") == {"$dec": "1000"}


async def test_an_exchange_that_asks_for_patience_is_given_it() -> None:
    run = LiveRun(action("buy", LIMIT))
    await run.invoke(NOW)
    run.exchange.will_answer(Unclear("banned until later", retry_after=90))

    outcome = await run.invoke(NOW + 1)

    assert (outcome.status, outcome.next_due_at) == (InvocationStatus.RUNNING, NOW + 91)
    assert outcome.notes[-1] == "temporary_failure: banned until later"
    assert (degraded(run)["count"], [one.status for one in outcome.pending_effects]) == (1, ["tried"])


async def test_maintenance_in_the_middle_of_sending_postpones_with_the_leg_on_record() -> None:
    run = LiveRun(action("buy", LIMIT))
    await run.invoke(NOW)
    run.exchange.will_answer(Unclear("system maintenance", postpone="maintenance"))

    outcome = await run.invoke(NOW + 1)
    assert (outcome.status, outcome.next_due_at) == (InvocationStatus.POSTPONED, NOW + 301)
    assert outcome.notes[-1] == "maintenance: system maintenance"

    await run.invoke(NOW + 301)
    assert (len(run.exchange.orders), run.completed) == (1, ["buy"])


@pytest.mark.parametrize(("amount", "reason"), [("1", "not_enough_funds"), ("'1%'", "below_minimum")])
async def test_an_action_that_is_called_again_and_again_waits_for_funds(amount: str, reason: str) -> None:
    rules = replace(generic_market(BTC), cost=Bounds(minimum=Decimal(100)))
    exchange = MemoryExchange(markets=[rules])
    run = LiveRun(action("buy", f"[wait(60), market('buy', 'BTC/USDT', {amount})]"), exchange=exchange)
    await run.invoke(NOW)
    outcome = await run.invoke(NOW + 60)

    assert (outcome.status, outcome.next_due_at) == (InvocationStatus.POSTPONED, NOW + 60 + HOUR)
    assert degraded(run)["reason"] == reason
    assert run.completed == []


async def test_exits_that_wait_are_looked_after_while_an_action_waits_for_funds() -> None:
    exits = "stop_loss_price='-10%', take_profit_prices=['10%']"
    run = LiveRun(
        action("open", f"market('buy', 'BTC/USDT', 0.01, {exits})"),
        action("more", "[wait(60), market('buy', 'BTC/USDT', 1)]"),
    )
    await run.settle(NOW)
    outcome = await run.settle(NOW + 60)
    assert (outcome.status, outcome.next_due_at) == (InvocationStatus.POSTPONED, NOW + 120)

    run.exchange.market.prices[BTC] = Decimal(56_000)
    await run.settle(NOW + 120)

    assert [order["type"] for order in run.open_orders] == []
    assert run.held("BTC") == 1


async def test_it_goes_on_when_the_funds_are_there() -> None:
    run = LiveRun(action("buy", "[wait(60), market('buy', 'BTC/USDT', 1)]"))
    await run.invoke(NOW)
    await run.invoke(NOW + 60)
    run.exchange.balances[Asset("USDT")] *= 100

    await run.settle(NOW + 60 + HOUR)

    assert (run.completed, degraded(run)) == (["buy"], {})


async def test_an_action_that_is_called_for_the_first_time_ends_with_the_refusal() -> None:
    run = LiveRun(action("buy", "market('buy', 'BTC/USDT', 1)"))
    outcome = await run.invoke(NOW)
    assert run.statuses == ["not_enough_funds"]
    assert outcome.status is InvocationStatus.FINISHED


async def test_a_refusal_by_the_exchange_ends_the_action_that_planned() -> None:
    run = LiveRun(action("buy", f"[wait(60), {LIMIT}]"))
    await run.invoke(NOW)
    run.exchange.will_answer(Refused(ActionStatus.NOT_ENOUGH_FUNDS, "insufficient balance"))
    await run.settle(NOW + 60)
    assert run.statuses == ["not_enough_funds"]


async def test_a_script_that_says_so_itself_is_taken_at_its_word() -> None:
    run = LiveRun(action("buy", "[wait(60), error('not_enough_funds')]"))
    await run.invoke(NOW)
    outcome = await run.invoke(NOW + 60)
    assert (run.statuses, outcome.status) == (["not_enough_funds"], InvocationStatus.FINISHED)


async def test_days_without_an_answer_cost_nothing_and_send_nothing_stale() -> None:
    run = LiveRun(action("buy", "limit('buy', 'BTC/USDT', '10%', '-2%')"))
    await run.invoke(NOW)
    run.exchange.read_error = RetryableError("no route to host")
    for hour in range(24):
        with suppress(RetryableError):
            await run.invoke(NOW + hour * HOUR)
    assert run.exchange.sent == []
    run.exchange.read_error = None
    run.exchange.market.prices[BTC] *= 2

    await run.settle(NOW + 24 * HOUR)

    assert [order["price"] for order in run.open_orders] == ["98000"]
    assert len(run.exchange.orders) == 1


async def test_open_orders_that_need_care_are_watched_when_all_actions_are_done() -> None:
    run = LiveRun(action("buy", "limit('buy', 'BTC/USDT', 0.01, 40000, stop_loss_price='-5%')"))
    outcome = await run.settle(NOW)
    assert (outcome.status, outcome.next_due_at) == (InvocationStatus.RUNNING, NOW + 60)
    assert outcome.notes == ["all actions are done; open orders are looked after until they have ended"]

    outcome = await run.invoke(NOW + 60)
    assert (outcome.next_due_at, outcome.notes) == (NOW + 120, [])

    run.exchange.fill("1")
    outcome = await run.invoke(NOW + 120)
    assert (outcome.next_due_at, outcome.pending_count) == (NOW + 120, 1)
    outcome = await run.invoke(NOW + 121)
    assert [order["type"] for order in run.open_orders] == ["stop_loss"]


async def test_no_action_runs_before_the_exits_of_a_fill_are_on_the_exchange() -> None:
    run = LiveRun(
        action("buy", "limit('buy', 'BTC/USDT', 0.01, 40000, stop_loss_price='-5%')"),
        action("pause", "wait(100)", "buy"),
        action("sell", "market('sell', 'BTC/USDT', 0.5)", "pause"),
    )
    await run.settle(NOW)
    run.exchange.fill("1")

    await run.invoke(NOW + 100)
    assert (run.completed, [intent["leg"] for intent in run.pending]) == (["buy"], ["0/stop"])
    await run.invoke(NOW + 101)
    assert run.completed == ["buy", "pause"]
    assert run.kinds_sent == ["create_order"] * 2


class TestRights:
    """A key that may withdraw funds is refused, and asked about once."""

    @pytest.fixture
    def withdrawing(self) -> MemoryExchange:
        exchange = MemoryExchange()
        exchange.rights = KeyRights(withdraw=True)
        return exchange

    async def test_a_key_that_may_withdraw_is_refused(self, withdrawing: MemoryExchange) -> None:
        run = LiveRun(action("ask", "total('USDT')"), exchange=withdrawing)
        with pytest.raises(ConfigurationError) as caught:
            await run.invoke(NOW)
        assert caught.value.code == "withdrawal_rights"

    async def test_it_is_fine_where_transfers_are_allowed(self, withdrawing: MemoryExchange) -> None:
        settings = EngineSettings(transfers=TransferPolicy(allowed=True))
        run = LiveRun(action("ask", "total('USDT')"), exchange=withdrawing, settings=settings)
        await run.invoke(NOW)
        assert run.completed == ["ask"]

    async def test_the_exchange_is_asked_once_in_the_life_of_an_automation(self) -> None:
        run = LiveRun(action("ask", "loop_until(total('USDT') > 2000, 60)"))
        for minute in range(5):
            await run.invoke(NOW + 60 * minute, TriggerReason.SCHEDULED)
        assert run.exchange.requests["key_rights"] == 1
