"""An operator who resets a history gets an automation that does nothing by itself."""

from __future__ import annotations

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import counted, reset, serving, start
from workflows.automation import Automation
from workflows.messages import InvocationResult, RunInvocation, StopRequest


def three_at_once(request: RunInvocation) -> InvocationResult:
    """Respond as an automation of three invocations without waits in between."""
    if request.state.get("count") == 2:
        return counted(request, status="finished")
    return counted(request, wake_at=request.woken_at)


@pytest.mark.parametrize(("task", "iterations"), [(0, 0), (2, 2)], ids=["to the start", "to the middle"])
async def test_a_reset_automation_runs_nothing_until_a_person_retries(
    server: WorkflowEnvironment, task: int, iterations: int
) -> None:
    async with serving(server.client, three_at_once) as engine:
        handle = await start(server.client)
        await handle.result()

        again = await reset(server.client, handle, task)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await again.execute_update(Automation.trigger)
        assert "needs attention" in str(caught.value.cause)
        report = await again.query(Automation.status)
        assert (report.status, report.iteration) == ("needs_attention", iterations)
        assert "reset" in (report.reason or "")
        assert len(engine.requests) == 3

    async with serving(server.client, three_at_once):  # another worker has to replay the history
        await again.execute_update(Automation.retry)
        assert (await again.result()).state["count"] == 3


async def test_a_reset_automation_can_be_stopped(server: WorkflowEnvironment) -> None:
    async with serving(server.client, three_at_once):
        handle = await start(server.client)
        await handle.result()
        again = await reset(server.client, handle, 0)
        report = await again.execute_update(Automation.stop, StopRequest())

    assert report.status == "stopped"
