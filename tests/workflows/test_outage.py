"""A day without an answer from the exchange: nothing is lost, nothing grows, and people are heard."""

from __future__ import annotations

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import ONE_ATTEMPT, FakeEngine, counted, serving, start
from workflows.automation import Automation
from workflows.client import AutomationHandle
from workflows.messages import EditRequest, InvocationResult, RunInvocation, StopRequest

HOUR = 3600
DAY = 24 * HOUR
PATIENT = ONE_ATTEMPT.model_copy(update={"attempts": 5, "attempts_timeout": 600})
"""As automations are really run: each activity makes five attempts before the workflow waits."""


class Exchange:
    """An exchange that answers, then does not for a day from its second invocation on, then does again."""

    def __init__(self) -> None:
        self.down_since: float | None = None

    def respond(self, request: RunInvocation) -> InvocationResult:
        count = request.state.get("count", 0)
        if count == 1 and self.down_since is None:
            self.down_since = request.woken_at
        if self.down_since is not None and request.woken_at - self.down_since < DAY:
            raise ApplicationError("binance does not answer", type="RetryableError")
        if count == 3:
            return counted(request, status="finished")
        at = request.woken_at + 60
        return counted(request, due_at=at, wake_at=at)


async def broken_down(skipping: WorkflowEnvironment, engine: FakeEngine) -> AutomationHandle:
    """Start an automation and wait until it has been without an answer for an hour."""
    handle = await start(skipping.client, settings=PATIENT)
    await engine.called(1)
    await skipping.sleep(HOUR)
    assert (await handle.query(Automation.status)).status == "retrying"
    return handle


async def test_it_goes_on_after_a_day_with_everything_it_had(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, Exchange().respond):
        handle = await start(skipping.client, settings=PATIENT)
        result = await handle.result()
        history = await handle.fetch_history()

    assert (result.summary.status, result.state["count"]) == ("finished", 4)
    assert len(history.events) < 600


@pytest.mark.parametrize("cancel", [False, True], ids=["as it is", "cancelling orders"])
async def test_it_can_be_stopped(skipping: WorkflowEnvironment, cancel: bool) -> None:
    async with serving(skipping.client, Exchange().respond) as engine:
        handle = await broken_down(skipping, engine)
        request = StopRequest(cancel_open_orders=cancel)
        if cancel:
            engine.respond = lambda asked: counted(asked, status="stopped")
        report = await handle.execute_update(Automation.stop, request)
        result = await handle.result()

    assert report.status == "stopped"
    assert result.state["count"] >= 1


async def test_it_can_be_paused_and_edited_and_goes_on(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, Exchange().respond) as engine:
        handle = await broken_down(skipping, engine)
        assert (await handle.execute_update(Automation.pause)).status == "paused"
        edit = EditRequest(upsert=[{"id": "new", "dsl_script": "1"}])
        assert (await handle.execute_update(Automation.edit, edit)).changes.added == ["new"]
        tried = len(engine.requests)
        await skipping.sleep(25 * HOUR)
        assert len(engine.requests) == tried
        await handle.execute_update(Automation.resume)
        result = await handle.result()

    assert result.summary.status == "finished"
    assert (result.state["edited"], result.state["count"]) == (["new"], 4)
