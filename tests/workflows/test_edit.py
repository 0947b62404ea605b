"""Edits: applied between invocations, in every status; one that is wrong fails alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import ONE_ATTEMPT, counted, serving, start
from workflows.automation import Automation
from workflows.client import AutomationHandle, send_update
from workflows.messages import (
    EditAnswer,
    EditRequest,
    InvocationResult,
    RunInvocation,
    StatusReport,
    StopRequest,
)

FAR = 9e9
"""A due time that no test reaches."""


def idle(request: RunInvocation) -> InvocationResult:
    """Respond as an automation that waits for a long time."""
    return counted(request, due_at=FAR, wake_at=FAR)


def outage(request: RunInvocation) -> InvocationResult:
    """Respond as an exchange that does not answer."""
    raise ApplicationError("binance does not answer", type="RetryableError")


def broken(request: RunInvocation) -> InvocationResult:
    """Respond as an automation whose script a person must repair."""
    raise ApplicationError("the actions form a cycle", type="DagError", non_retryable=True)


def adding(name: str) -> EditRequest:
    return EditRequest(upsert=[{"id": name, "dsl_script": "1"}])


async def edit(handle: AutomationHandle, request: EditRequest) -> EditAnswer:
    answer: EditAnswer = await send_update(handle, Automation.edit, request)
    return answer


async def refusal(handle: AutomationHandle, request: EditRequest) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await edit(handle, request)
    return str(caught.value.cause)


async def stop(handle: AutomationHandle) -> str:
    report: StatusReport = await handle.execute_update(Automation.stop, StopRequest())
    await handle.result()
    return report.status


async def test_the_next_invocation_runs_at_once_on_the_edited_state_and_not_as_if_it_were_due(
    server: WorkflowEnvironment,
) -> None:
    async with serving(server.client, idle) as engine:
        handle = await start(server.client)
        await engine.called(1)
        answer = await edit(handle, adding("new"))
        await engine.called(2)
        assert await stop(handle) == "stopped"

    assert answer.changes.added == ["new"]
    assert engine.requests[1].state["edited"] == ["new"]
    assert (engine.requests[1].trigger, engine.requests[1].priority_actions) == ("message", [])


async def test_a_wrong_edit_fails_alone_and_runs_nothing(server: WorkflowEnvironment) -> None:
    async with serving(server.client, idle) as engine:
        handle = await start(server.client)
        await engine.called(1)
        assert "an action has no script" in await refusal(handle, EditRequest(upsert=[{"id": "x"}]))
        state, report = await handle.query(Automation.state), await handle.query(Automation.status)
        await stop(handle)

    assert "edited" not in state
    assert report.status == "running"
    assert len(engine.requests) == 1


async def test_edits_that_arrive_during_an_invocation_follow_it_in_order(server: WorkflowEnvironment) -> None:
    async with serving(server.client, idle) as engine:
        engine.open.clear()
        handle = await start(server.client)
        await engine.called(1)
        accepted = [
            await handle.start_update(
                Automation.edit, adding(name), wait_for_stage=WorkflowUpdateStage.ACCEPTED
            )
            for name in ("one", "two", "three")
        ]
        assert not engine.edits
        engine.open.set()
        await asyncio.gather(*(update.result() for update in accepted))
        await engine.called(2)
        await stop(handle)

    assert engine.requests[1].state["edited"] == ["one", "two", "three"]


async def test_an_edit_is_what_an_automation_that_needs_attention_waits_for(
    server: WorkflowEnvironment,
) -> None:
    async with serving(server.client, broken) as engine:
        handle = await start(server.client)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(Automation.trigger)
        assert "no script" in await refusal(handle, EditRequest(upsert=[{"id": "x"}]))
        assert (await handle.query(Automation.status)).status == "needs_attention"

        tried = len(engine.requests)
        engine.respond = idle
        assert (await edit(handle, adding("new"))).report.status == "running"
        await engine.called(tried + 1)
        assert await stop(handle) == "stopped"


async def test_an_edit_during_an_outage_is_applied_and_tried_at_once(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, outage) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        assert "no script" in await refusal(handle, EditRequest(upsert=[{"id": "x"}]))
        engine.respond = idle
        await edit(handle, adding("new"))
        await engine.called(2)
        await handle.terminate()

    assert engine.requests[1].state["edited"] == ["new"]
    assert engine.requests[1].woken_at - engine.requests[0].woken_at < ONE_ATTEMPT.first_delay


async def test_a_paused_automation_is_edited_and_runs_what_is_ready_when_it_is_resumed(
    server: WorkflowEnvironment,
) -> None:
    async with serving(server.client, idle) as engine:
        handle = await start(server.client)
        await engine.called(1)
        await handle.execute_update(Automation.pause)
        assert (await edit(handle, adding("new"))).report.status == "paused"
        report = await handle.query(Automation.status)
        assert (report.details, len(engine.requests)) == ("| edited |", 1)

        await handle.execute_update(Automation.resume)
        await engine.called(2)
        await stop(handle)

    assert engine.requests[1].state["edited"] == ["new"]


async def test_an_edit_survives_continue_as_new(server: WorkflowEnvironment) -> None:
    settings = ONE_ATTEMPT.model_copy(update={"continue_as_new_after": 20})
    async with serving(server.client, idle) as engine:
        handle = await start(server.client, settings=settings)
        await engine.called(1)
        await handle.execute_update(Automation.pause)
        names = [f"number-{number}" for number in range(8)]
        for name in names:
            await edit(handle, adding(name))
        run_id = (await handle.describe()).run_id
        await handle.execute_update(Automation.resume)
        await engine.called(2)
        await stop(handle)

    assert run_id != handle.first_execution_run_id
    assert engine.requests[1].state["edited"] == names


@pytest.mark.parametrize(
    "arguments", [{}, {"upsert": [], "remove": []}, {"add": []}, {"upsert": ["a"]}], ids=str
)
async def test_a_malformed_edit_is_refused(server: WorkflowEnvironment, arguments: dict[str, Any]) -> None:
    async with serving(server.client, idle) as engine:
        handle = await start(server.client)
        await engine.called(1)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("edit", arguments)
        await stop(handle)

    assert not engine.edits


async def test_an_edit_that_comes_with_the_end_is_told_so(server: WorkflowEnvironment) -> None:
    async with serving(server.client, idle) as engine:
        engine.open.clear()
        handle = await start(server.client)
        await engine.called(1)
        stopping = await handle.start_update(
            Automation.stop, StopRequest(), wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        late = await handle.start_update(
            Automation.edit, adding("late"), wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        engine.open.set()
        await stopping.result()
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await late.result()
        assert "has ended: stopped" in str(caught.value.cause)
        await handle.result()
