"""The loop: when invocations run, what they get, what survives continue-as-new."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import LATE, ONE_ATTEMPT, Respond, counted, new_state, serving, start
from workflows.automation import Automation
from workflows.messages import InvocationResult, RunInvocation


def every(seconds: float, *, times: int, **result: Any) -> Respond:
    """Respond with an automation that runs each `seconds`, that often, and then has finished."""

    def respond(request: RunInvocation) -> InvocationResult:
        at = (request.due_at or request.woken_at) + seconds
        if request.state.get("count", 0) + 1 == times:
            return counted(request, status="finished")
        return counted(request, due_at=at, wake_at=at, **result)

    return respond


async def test_an_automation_runs_when_it_is_due_until_it_has_finished(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, every(3600, times=4)) as engine:
        handle = await start(skipping.client)
        result = await handle.result()

    assert result.summary.status == "finished"
    assert result.summary.iteration == 4
    assert result.state["count"] == 4
    waited = [later.woken_at - first.woken_at for first, later in pairwise(engine.requests)]
    assert waited == pytest.approx([3600, 3600, 3600], abs=LATE)
    assert {request.trigger for request in engine.requests} == {"scheduled"}


async def test_every_invocation_gets_the_state_that_the_one_before_returned(
    skipping: WorkflowEnvironment,
) -> None:
    async with serving(skipping.client, every(60, times=3)) as engine:
        handle = await start(skipping.client, new_state(kept="as it is"))
        await handle.result()

    assert [request.state.get("count") for request in engine.requests] == [None, 1, 2]
    assert all(request.state["kept"] == "as it is" for request in engine.requests)
    first_run = handle.first_execution_run_id
    assert {request.run_key for request in engine.requests} == {f"{handle.id}/{first_run}"}


@pytest.mark.parametrize(("seconds", "events"), [(0, 6), (60, 11)])
async def test_an_invocation_costs_six_events_and_five_more_with_a_timer(
    skipping: WorkflowEnvironment, seconds: float, events: int
) -> None:
    lengths = []
    for times in (3, 13):
        async with serving(skipping.client, every(seconds, times=times)):
            handle = await start(skipping.client)
            await handle.result()
            lengths.append(len((await handle.fetch_history()).events))

    assert lengths[1] - lengths[0] == 10 * events


async def test_a_long_automation_continues_as_new_with_everything_it_knows(
    skipping: WorkflowEnvironment,
) -> None:
    settings = ONE_ATTEMPT.model_copy(update={"continue_as_new_after": 60})
    minutely = every(60, times=30, outcome={"done": True}, outcome_size=13)
    async with serving(skipping.client, minutely) as engine:
        handle = await start(skipping.client, settings=settings)
        result = await handle.result()
        history = await handle.query(Automation.history)

    assert result.state["count"] == 30
    assert len(engine.requests) == 30
    assert len(history) == 30
    assert (await handle.describe()).run_id != handle.first_execution_run_id


async def test_an_automation_in_which_nothing_will_ever_be_due_needs_attention(
    skipping: WorkflowEnvironment,
) -> None:
    async with serving(skipping.client, counted):
        handle = await start(skipping.client)
        await skipping.sleep(3600)
        report = await handle.query(Automation.status)
        assert report.status == "needs_attention"
        assert "blocked" in (report.reason or "")
        await handle.terminate()
