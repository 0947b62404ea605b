"""What people decide about effects reaches the next invocation, whatever the automation waits for."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import counted, serving, start
from workflows.automation import Automation
from workflows.client import AutomationHandle
from workflows.messages import (
    ApproveRequest,
    Decisions,
    InvocationResult,
    RejectRequest,
    ResolveRequest,
    RunInvocation,
    StatusReport,
    StopRequest,
)

HOUR = 3600
ACCEPTED = WorkflowUpdateStage.ACCEPTED


def careful(request: RunInvocation) -> InvocationResult:
    """Respond as an automation whose two effects, a and b, wait for a person."""
    decided = request.decisions
    named = {*decided.approved, *decided.rejected, *decided.resolved}
    waiting = request.state.get("waiting", ["a", "b"])
    if unknown := named - set(waiting):
        raise ApplicationError(f"no effect {min(unknown)}", type="ConfigurationError", non_retryable=True)
    left = [key for key in waiting if key not in named]
    return counted(
        request,
        state={"waiting": left},
        status="awaiting_approval" if left else "finished",
        pending_effects=len(left),
    )


def outage(request: RunInvocation) -> InvocationResult:
    """Respond as an exchange that does not answer."""
    raise ApplicationError("binance does not answer", type="RetryableError")


def postponed(request: RunInvocation) -> InvocationResult:
    """Respond as an account that cannot be used for six hours."""
    at = request.woken_at + 6 * HOUR
    return counted(request, status="postponed", reason="maintenance", due_at=at, wake_at=at)


async def approve(handle: AutomationHandle, *keys: str) -> StatusReport:
    return await handle.execute_update(Automation.approve, ApproveRequest(keys=list(keys)))


async def test_an_automation_that_awaits_approval_waits_for_a_person_and_needs_no_attention(
    skipping: WorkflowEnvironment,
) -> None:
    async with serving(skipping.client, careful) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        await skipping.sleep(50 * HOUR)
        assert (await handle.query(Automation.status)).status == "awaiting_approval"
        assert len(engine.requests) == 1

        await handle.start_update(
            Automation.approve, ApproveRequest(keys=["a", "b"]), wait_for_stage=ACCEPTED
        )
        result = await handle.result()

    assert result.summary.status == "finished"
    assert engine.requests[-1].decisions == Decisions(approved=["a", "b"])
    assert engine.requests[-1].trigger == "message"


async def test_each_decision_reaches_the_engine(server: WorkflowEnvironment) -> None:
    async with serving(server.client, careful) as engine:
        handle = await start(server.client)
        await handle.execute_update(Automation.reject, RejectRequest(keys=["a"], reason="too large"))
        report = await handle.execute_update(Automation.resolve, ResolveRequest(key="b", placed=True))
        await handle.result()

    assert report.status == "finished"
    decided = [request.decisions for request in engine.requests if request.decisions != Decisions()]
    assert decided == [Decisions(rejected={"a": "too large"}), Decisions(resolved={"b": True})]


async def test_an_unknown_key_fails_its_message_and_nothing_else(server: WorkflowEnvironment) -> None:
    async with serving(server.client, careful) as engine:
        handle = await start(server.client)
        await engine.called(1)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await approve(handle, "c")
        assert "no effect c" in str(caught.value.cause)
        assert (await handle.query(Automation.status)).status == "awaiting_approval"
        assert (await approve(handle, "a", "b")).status == "finished"
        await handle.result()


async def test_decisions_are_taken_in_a_pause_and_leave_it_one(server: WorkflowEnvironment) -> None:
    async with serving(server.client, careful) as engine:
        handle = await start(server.client)
        await engine.called(1)
        await handle.execute_update(Automation.pause)
        report = await approve(handle, "a")
        await handle.execute_update(Automation.resume)
        await approve(handle, "b")
        await handle.result()

    assert report.status == "paused"
    assert engine.requests[1].paused


async def test_effects_that_a_pause_held_go_on_when_it_ends(server: WorkflowEnvironment) -> None:
    def held(request: RunInvocation) -> InvocationResult:
        if request.state.get("count") and not request.paused:
            return counted(request, status="finished")
        return counted(request, pending_effects=1, due_at=9e9, wake_at=9e9)

    async with serving(server.client, held) as engine:
        handle = await start(server.client)
        await engine.called(1)
        await handle.execute_update(Automation.pause)
        await approve(handle, "a")
        await handle.execute_update(Automation.resume)
        await handle.result()

    assert [request.paused for request in engine.requests] == [False, True, False]


async def test_effects_under_way_are_looked_up_in_a_pause_and_nothing_else_runs(
    skipping: WorkflowEnvironment,
) -> None:
    def under_way(request: RunInvocation) -> InvocationResult:
        sent = 1 if request.state.get("count", 0) < 3 else 0
        at = request.woken_at + 20
        return counted(request, pending_effects=sent, sent_effects=sent, due_at=at, wake_at=at)

    async with serving(skipping.client, under_way) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        await handle.execute_update(Automation.pause)
        await skipping.sleep(HOUR)
        report = await handle.query(Automation.status)
        await handle.terminate()

    assert report.status == "paused"
    assert [request.paused for request in engine.requests] == [False, True, True, True]


async def test_a_decision_during_an_outage_is_taken_when_the_exchange_is_back(
    skipping: WorkflowEnvironment,
) -> None:
    async with serving(skipping.client, careful) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        engine.respond = outage
        request = ApproveRequest(keys=["a", "b"])
        await handle.start_update(Automation.approve, request, wait_for_stage=ACCEPTED)
        await skipping.sleep(HOUR)
        assert (await handle.query(Automation.status)).status == "retrying"
        engine.respond = careful
        await handle.result()

    assert engine.requests[-1].decisions.approved == ["a", "b"]


@pytest.mark.parametrize("respond", [postponed, careful], ids=["postponed", "awaiting approval"])
async def test_whoever_waits_can_be_paused_resumed_sent_on_and_stopped(
    server: WorkflowEnvironment, respond: Any
) -> None:
    async with serving(server.client, respond) as engine:
        handle = await start(server.client)
        waiting = (await handle.execute_update(Automation.trigger)).status
        assert (await handle.execute_update(Automation.pause)).status == "paused"
        assert (await handle.execute_update(Automation.resume)).status == waiting
        tried = len(engine.requests)
        await handle.execute_update(Automation.retry)
        await engine.called(tried + 1)
        assert engine.requests[-1].trigger == "message"
        engine.respond = settles
        assert (await handle.execute_update(Automation.stop, StopRequest())).status == "stopped"
        await handle.result()


def settles(request: RunInvocation) -> InvocationResult:
    """Respond as an automation that has settled what was under way."""
    return counted(request, status="stopped")


@pytest.mark.parametrize(
    ("update", "arguments"),
    [
        ("approve", {"keys": []}),
        ("reject", {"keys": ["a"], "reasons": "misspelt"}),
        ("resolve", {"key": "a"}),
    ],
    ids=["no keys", "misspelt", "half an answer"],
)
async def test_a_malformed_decision_is_refused_before_it_enters_history(
    server: WorkflowEnvironment, update: str, arguments: dict[str, Any]
) -> None:
    async with serving(server.client, careful):
        handle = await start(server.client)
        await handle.execute_update(Automation.trigger)
        events = len((await handle.fetch_history()).events)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(update, arguments, id="malformed")
        assert len((await handle.fetch_history()).events) == events
        await handle.terminate()
