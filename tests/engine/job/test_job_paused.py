"""A paused invocation runs priority actions and nothing else."""

from __future__ import annotations

from tests.support.builders import NOW, Invoked, action, automation, scripts


async def test_priority_actions_run_and_the_dag_waits() -> None:
    run = Invoked(scripts("1"))
    outcome = await run.invoke(paused=True, priority_actions=[action("extra", "2")])

    assert run.completed == []
    assert run.result("extra") == 2
    assert (outcome.status, outcome.next_due_at, outcome.priority_due) == ("running", NOW, False)


async def test_without_priority_actions_nothing_runs() -> None:
    run = Invoked(scripts("1"))
    outcome = await run.invoke(paused=True)

    assert (run.completed, outcome.executed_count, outcome.at) == ([], 0, NOW)


async def test_a_priority_action_that_waits_is_what_is_due_next() -> None:
    run = Invoked(scripts("1"))
    outcome = await run.invoke(paused=True, priority_actions=[action("extra", "wait(60)")])
    assert (outcome.next_due_at, outcome.priority_due) == (NOW + 60, True)

    outcome = await run.invoke(NOW + 60, paused=True)
    assert (run.completed, outcome.next_due_at, outcome.priority_due) == ([], NOW + 60, False)


async def test_a_priority_action_that_needs_the_dag_does_not_make_it_run() -> None:
    run = Invoked(scripts("1"))
    outcome = await run.invoke(paused=True, priority_actions=[action("extra", "$a0 + 1")])
    assert (run.completed, outcome.priority_due) == ([], False)

    await run.invoke()
    await run.invoke()
    assert run.result("extra") == 2


async def test_a_script_replaced_by_a_priority_action_waits_too() -> None:
    run = Invoked(automation(action("a", "1")))
    update = action("update", "update_automation_configuration('2')")
    await run.invoke(paused=True, priority_actions=[update])
    assert run.completed == []

    await run.invoke()
    assert run.result("a") == 2
