"""A pause: nothing runs but priority actions, and nothing that came meanwhile is lost."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import LATE, ONE_ATTEMPT, counted, serving, start
from workflows.automation import Automation
from workflows.client import AutomationHandle
from workflows.messages import (
    ActionAnswer,
    ExecuteAnswer,
    ExecuteRequest,
    InvocationResult,
    RunInvocation,
    StatusReport,
    StopRequest,
)

HOUR = 3600


def hourly(request: RunInvocation) -> InvocationResult:
    """Respond as an automation that runs each hour, and whose priority actions return their script."""
    answers = {action["id"]: ActionAnswer(value=action["dsl_script"]) for action in request.priority_actions}
    at = request.due_at or request.woken_at
    if request.trigger != "message":
        at = max(request.woken_at, at) + HOUR
    return counted(request, due_at=at, wake_at=at, answers=answers)


def outage(request: RunInvocation) -> InvocationResult:
    """Respond as an exchange that does not answer."""
    raise ApplicationError("binance does not answer", type="RetryableError")


async def pause(handle: AutomationHandle) -> str:
    report: StatusReport = await handle.execute_update(Automation.pause)
    return report.status


async def resume(handle: AutomationHandle) -> str:
    report: StatusReport = await handle.execute_update(Automation.resume)
    return report.status


async def execute(handle: AutomationHandle, script: str) -> ExecuteAnswer:
    request = ExecuteRequest(actions=[{"id": script, "dsl_script": script}])
    return await handle.execute_update(Automation.execute, request)


async def stop(handle: AutomationHandle) -> str:
    report: StatusReport = await handle.execute_update(Automation.stop, StopRequest())
    await handle.result()
    return report.status


async def test_timers_that_are_due_in_a_pause_run_after_it_once(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, hourly) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        assert await pause(handle) == "paused"
        await skipping.sleep(5 * HOUR)
        assert len(engine.requests) == 1

        assert await resume(handle) == "running"
        await engine.called(2)
        assert await stop(handle) == "stopped"

    late = engine.requests[1]
    assert (late.trigger, late.paused) == ("scheduled", False)
    assert late.woken_at - (late.due_at or 0) == pytest.approx(4 * HOUR, abs=LATE)


async def test_an_automation_that_is_not_due_yet_keeps_its_schedule_over_a_pause(
    skipping: WorkflowEnvironment,
) -> None:
    async with serving(skipping.client, hourly) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        await pause(handle)
        await skipping.sleep(HOUR / 2)
        await resume(handle)
        await skipping.sleep(HOUR)
        await handle.terminate()

    first, second = engine.requests
    assert second.woken_at - first.woken_at == pytest.approx(HOUR, abs=LATE)


async def test_priority_actions_run_in_a_pause_and_nothing_else_does(server: WorkflowEnvironment) -> None:
    async with serving(server.client, hourly) as engine:
        handle = await start(server.client)
        await engine.called(1)
        await pause(handle)
        answer = await execute(handle, "one")
        report = await handle.query(Automation.status)
        await stop(handle)

    assert answer.actions["one"].value == "one"
    assert report.status == "paused"
    assert [request.paused for request in engine.requests] == [False, True]


async def test_a_priority_action_that_takes_several_invocations_goes_on_in_a_pause(
    server: WorkflowEnvironment,
) -> None:
    def slow(request: RunInvocation) -> InvocationResult:
        if request.priority_actions:
            return counted(request, wake_at=request.woken_at, priority_due=True)
        answers = {"slow": ActionAnswer(value="done")} if request.paused else {}
        return counted(request, wake_at=9e9, answers=answers)

    async with serving(server.client, slow) as engine:
        handle = await start(server.client)
        await engine.called(1)
        await pause(handle)
        answer = await execute(handle, "slow")
        await stop(handle)

    assert answer.actions["slow"].value == "done"
    assert [request.paused for request in engine.requests] == [False, True, True]


async def test_a_priority_action_that_needs_what_is_paused_is_answered_so(
    server: WorkflowEnvironment,
) -> None:
    def blocked(request: RunInvocation) -> InvocationResult:
        return counted(request, wake_at=request.woken_at if request.paused else 9e9)

    async with serving(server.client, blocked) as engine:
        handle = await start(server.client)
        await engine.called(1)
        await pause(handle)
        answer = await execute(handle, "late")
        await stop(handle)

    assert "when the automation is resumed" in (answer.actions["late"].error or "")
    assert len(engine.requests) == 2


async def test_a_trigger_in_a_pause_is_answered_at_once_and_runs_later(
    server: WorkflowEnvironment,
) -> None:
    async with serving(server.client, hourly) as engine:
        handle = await start(server.client)
        await engine.called(1)
        await pause(handle)
        report: StatusReport = await handle.execute_update(Automation.trigger)
        await execute(handle, "one")
        assert [request.trigger for request in engine.requests] == ["scheduled", "message"]
        await resume(handle)
        await engine.called(3)
        await stop(handle)

    assert report.status == "paused"
    assert engine.requests[2].trigger == "forced"


async def test_an_invocation_under_way_is_completed_and_none_follows(server: WorkflowEnvironment) -> None:
    def at_once(request: RunInvocation) -> InvocationResult:
        return counted(request, wake_at=request.woken_at)

    async with serving(server.client, at_once) as engine:
        engine.open.clear()
        handle = await start(server.client)
        await engine.called(1)
        assert await pause(handle) == "paused"
        engine.open.set()
        await execute(handle, "one")
        report = await handle.query(Automation.status)
        await stop(handle)

    assert (report.status, report.iteration) == ("paused", 2)


async def test_an_outage_can_be_paused_and_is_tried_again_on_resume(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, outage) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        assert await pause(handle) == "paused"
        await skipping.sleep(30 * HOUR)
        tried = len(engine.requests)
        report = await handle.query(Automation.status)
        assert (report.status, report.reason) == ("paused", "binance does not answer")

        assert await resume(handle) == "retrying"
        await engine.called(tried + 1)
        assert (await handle.query(Automation.status)).status == "retrying"
        assert await stop(handle) == "stopped"

    assert tried == 1


async def test_an_automation_that_needs_attention_can_be_paused_for_its_return(
    server: WorkflowEnvironment,
) -> None:
    def broken(request: RunInvocation) -> InvocationResult:
        raise ApplicationError("the API key is wrong", type="ConfigurationError", non_retryable=True)

    async with serving(server.client, broken) as engine:
        handle = await start(server.client)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(Automation.trigger)
        assert await pause(handle) == "needs_attention"
        engine.respond = hourly
        assert (await handle.execute_update(Automation.retry)).status == "paused"
        tried = len(engine.requests)
        await resume(handle)
        await engine.called(tried + 1)
        assert await stop(handle) == "stopped"


async def test_a_pause_survives_continue_as_new(server: WorkflowEnvironment) -> None:
    settings = ONE_ATTEMPT.model_copy(update={"continue_as_new_after": 20})
    async with serving(server.client, hourly) as engine:
        handle = await start(server.client, settings=settings)
        await engine.called(1)
        await pause(handle)
        for number in range(8):
            await execute(handle, f"number-{number}")
        report = await handle.query(Automation.status)
        run_id = (await handle.describe()).run_id
        await resume(handle)
        await stop(handle)

    assert report.status == "paused"
    assert run_id != handle.first_execution_run_id
    assert [request.paused for request in engine.requests] == [False, *[True] * 8]


async def test_pausing_twice_is_one_pause_and_nothing_else_can_be_resumed(
    server: WorkflowEnvironment,
) -> None:
    async with serving(server.client, hourly) as engine:
        handle = await start(server.client)
        await engine.called(1)
        assert list(await asyncio.gather(pause(handle), pause(handle))) == ["paused", "paused"]
        assert await resume(handle) == "running"
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await resume(handle)
        assert "nothing to resume: the automation is running" in str(caught.value.cause)
        await stop(handle)


async def test_a_paused_automation_can_be_stopped(server: WorkflowEnvironment) -> None:
    async with serving(server.client, hourly) as engine:
        handle = await start(server.client)
        await engine.called(1)
        await pause(handle)
        assert await stop(handle) == "stopped"
