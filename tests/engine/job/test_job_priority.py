"""Priority actions: what messages have an invocation do before its own actions."""

from __future__ import annotations

import json

import pytest

from engine.dsl import Limits
from engine.errors import (
    PendingPriorityActionsSkippedError,
    StateError,
)
from engine.job.outcome import InvocationStatus
from engine.job.services import EngineSettings, Services
from engine.state import TriggerReason
from tests.support.builders import NOW, Invoked, action, automation, scripts


async def test_a_priority_action_runs_alone_and_leaves_the_schedule_untouched() -> None:
    run = Invoked(automation(action("a", "wait(50)"), action("b", "$a", "a")))
    await run.invoke(now=NOW)
    dag = json.dumps(run.state["automation"]["actions_dag"])

    outcome = await run.invoke(NOW + 60, TriggerReason.MESSAGE, priority_actions=[action("p", "2 * 21")])

    assert outcome.values == {"p": 42}
    assert json.dumps(run.state["automation"]["actions_dag"]) == dag
    assert outcome.next_due_at == NOW + 60


async def test_a_priority_action_may_use_results_of_the_dag() -> None:
    run = Invoked(scripts("decimal('20')"))
    await run.invoke()

    outcome = await run.invoke(priority_actions=[action("p", "$a0 + 1")])

    assert outcome.values == {"p": "21"}


async def test_a_priority_action_that_waits_says_when_it_is_due() -> None:
    run = Invoked(scripts("wait(50)"))
    await run.invoke(now=NOW)

    outcome = await run.invoke(now=NOW + 1, priority_actions=[action("p", "wait(5)")])

    assert outcome.waiting == {"p": NOW + 6}
    assert outcome.next_due_at == NOW + 6


async def test_a_priority_action_behind_an_unfinished_one_lets_the_dag_go_on() -> None:
    run = Invoked(scripts("wait(50)"))
    await run.invoke(now=NOW)

    outcome = await run.invoke(now=NOW + 1, priority_actions=[action("p", "7", "a0")])
    assert outcome.next_due_at == NOW + 50

    await run.invoke(now=NOW + 50)
    assert (await run.invoke(now=NOW + 50)).values == {"p": 7}


async def test_priority_actions_that_were_all_executed_before_are_an_error_of_the_message() -> None:
    run = Invoked(scripts("wait(50)"))
    await run.invoke(priority_actions=[action("p", "1")])

    with pytest.raises(PendingPriorityActionsSkippedError, match="already executed: p"):
        await run.invoke(priority_actions=[action("p", "1")])


async def test_a_priority_action_of_the_wrong_form_is_refused() -> None:
    with pytest.raises(StateError, match=r"priority action: .* needs either dsl_script or action"):
        await Invoked(scripts("1")).invoke(priority_actions=[{"id": "p"}])


async def test_stop_as_a_priority_action_keeps_the_dag_and_itself() -> None:
    run = Invoked(scripts("wait(50)"))
    await run.invoke(now=NOW)
    dag = json.dumps(run.state["automation"]["actions_dag"])

    outcome = await run.invoke(now=NOW + 1, priority_actions=[action("halt", "stop_automation()")])

    assert outcome.status is InvocationStatus.STOPPED
    assert outcome.next_due_at is None
    assert run.state["automation"]["post_actions"] == {"stop_automation": True}
    assert json.dumps(run.state["automation"]["actions_dag"]) == dag
    assert "executed_at" in run.action("halt")


async def test_stop_in_the_dag_skips_what_comes_behind_it() -> None:
    run = Invoked(scripts("stop_automation()", "1"))

    outcome = await run.invoke()

    assert outcome.status is InvocationStatus.STOPPED
    assert run.completed == ["a0"]


async def test_a_stopped_automation_runs_nothing_more() -> None:
    run = Invoked(scripts("stop_automation()", "1"))
    await run.invoke()

    outcome = await run.invoke()

    assert outcome.executed_count == 0
    assert outcome.status is InvocationStatus.STOPPED


async def test_the_script_of_the_only_action_can_be_replaced_and_runs_at_once() -> None:
    run = Invoked(scripts("wait(5000)"))
    await run.invoke(now=NOW)

    await run.invoke(now=NOW + 1, priority_actions=[action("p", "update_automation_configuration('40 + 2')")])

    assert run.result("a0") == 42


async def test_a_replaced_script_shares_the_effects_that_its_invocation_has_left() -> None:
    services = Services(settings=EngineSettings(limits=Limits(effects=2)))
    run = Invoked(scripts("wait(5000)"), services)
    await run.invoke(now=NOW)

    replace = "[notify('one'), update_automation_configuration(\"notify('two')\")]"
    await run.invoke(now=NOW + 1, priority_actions=[action("p", replace)])

    assert run.statuses == ["limit_exceeded"]


async def test_the_dag_goes_on_while_a_priority_action_waits() -> None:
    run = Invoked(automation(action("a", "wait(100)"), action("b", "2", "a")))
    await run.invoke(now=NOW)

    outcome = await run.invoke(now=NOW + 1, priority_actions=[action("asked", "wait(1000)")])
    assert outcome.waiting == {"asked": NOW + 1_001}
    assert (outcome.next_due_at, outcome.priority_due) == (NOW + 100, False)

    outcome = await run.invoke(now=NOW + 100)
    assert run.result("b") == 2
    assert (outcome.next_due_at, outcome.priority_due) == (NOW + 1_001, True)

    outcome = await run.invoke(now=NOW + 1_001)
    assert outcome.status is InvocationStatus.FINISHED


async def test_a_condition_that_never_holds_lets_the_dag_run() -> None:
    run = Invoked(automation(action("a", "wait(60)"), action("b", "2", "a")))
    await run.invoke(now=NOW)
    outcome = await run.invoke(now=NOW + 1, priority_actions=[action("asked", "loop_until(False, 60)")])

    for _ in range(4):
        assert outcome.next_due_at is not None
        outcome = await run.invoke(now=outcome.next_due_at)

    assert run.result("b") == 2


async def test_in_a_pause_only_priority_actions_are_due() -> None:
    run = Invoked(automation(action("a", "wait(100)")))
    await run.invoke(now=NOW)

    outcome = await run.invoke(now=NOW + 1, paused=True, priority_actions=[action("asked", "wait(1000)")])

    assert (outcome.next_due_at, outcome.priority_due) == (NOW + 1_001, True)
