"""Actions that run again: restarts, and schedules of the whole automation."""

from __future__ import annotations

import json

from engine.job.outcome import InvocationStatus
from engine.state import TriggerReason
from tests.support.builders import NOW, Invoked, action, automation

FORCED = TriggerReason.FORCED


async def test_restart_runs_an_action_and_what_depends_on_it_again_later() -> None:
    run = Invoked(automation(action("buy", "now()"), action("again", "restart('buy', 100)", "buy")))

    outcome = await run.invoke(now=1_000.0)
    assert outcome.next_due_at == 1_100.0
    assert run.completed == []

    outcome = await run.invoke(now=1_103.0, scheduled_to=1_100.0)
    assert outcome.next_due_at == 1_200.0
    assert run.action("buy")["previous_execution_result"] == 1_103.0


async def test_an_action_that_restarts_what_it_does_not_depend_on_waits_with_it() -> None:
    run = Invoked(automation(action("buy", "now()"), action("again", "restart('buy', 100)")))

    await run.invoke(now=1_000.0)
    outcome = await run.invoke(now=1_001.0)

    assert outcome.executed_count == 0
    assert outcome.next_due_at == 1_100.0


async def test_an_action_can_restart_another_when_it_completes() -> None:
    last = action("b", "2", "a", reset_target_action_id="a", reset_after=60)
    run = Invoked(automation(action("a", "1"), last))

    outcome = await run.invoke(now=NOW)

    assert outcome.next_due_at == NOW + 60
    assert run.completed == []


async def test_an_action_that_fails_restarts_nothing() -> None:
    run = Invoked(automation(action("a", "1"), action("b", "1/0", "a", reset_target_action_id="a")))

    outcome = await run.invoke()

    assert outcome.status is InvocationStatus.FINISHED


async def test_a_restart_of_an_unknown_action_is_an_error_that_names_the_known_ones() -> None:
    run = Invoked(automation(action("a", "restart('b')")))

    await run.invoke()

    assert run.statuses == ["invalid_config"]
    assert "cannot restart 'b': no such action; there are a" in run.action("a")["error_message"]


async def test_a_schedule_runs_the_whole_dag_again_on_its_ticks() -> None:
    run = Invoked(automation(action("a", "1"), action("b", "$a", "a"), schedule={"every": 100, "max": 3}))

    assert (await run.invoke(now=1_000.0)).next_due_at == 1_100.0
    assert (await run.invoke(now=1_100.0)).next_due_at == 1_200.0
    outcome = await run.invoke(now=1_200.0)

    assert outcome.status is InvocationStatus.FINISHED
    assert outcome.executed_count == 2


async def test_a_forced_invocation_does_not_skip_the_delay_of_a_schedule() -> None:
    run = Invoked(automation(action("a", "1"), schedule={"every": 100}))
    await run.invoke(now=1_000.0)

    outcome = await run.invoke(now=1_010.0, trigger=FORCED)

    assert outcome.executed_count == 0
    assert outcome.next_due_at == 1_100.0


async def test_a_repeated_action_goes_on_from_its_previous_result() -> None:
    script = "decimal('0.5') if previous() == None else previous() + decimal('0.5')"
    count = action("count", script, reset_target_action_id="count", reset_after=60)
    run = Invoked(automation(count))
    seen = []
    for at in range(4):
        await run.invoke(now=1_000.0 + 60 * at)
        seen.append(run.action("count")["previous_execution_result"])
        run = Invoked(json.loads(json.dumps(run.state)))  # as another process would take it up
    assert seen == [{"$dec": "0.5"}, {"$dec": "1.0"}, {"$dec": "1.5"}, {"$dec": "2.0"}]


async def test_a_round_that_fails_leaves_the_result_of_the_one_before() -> None:
    script = "previous() if now() < 1100 or previous() == 'first' and now() > 1150 else 1 / 0"
    run = Invoked(
        automation(
            action("a", script, previous_execution_result="first"), action("again", "restart('a', 50)", "a")
        )
    )
    results = []
    for now in (1_000.0, 1_100.0, 1_200.0):
        await run.invoke(now=now)
        results.append(run.action("a")["previous_execution_result"])
    assert results == ["first"] * 3
