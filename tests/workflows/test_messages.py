"""Messages on a real server: what each does, and that none is lost or acts twice."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateHandle, WorkflowUpdateStage
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import ONE_ATTEMPT, counted, new_state, serving, start
from workflows.automation import Automation
from workflows.client import AutomationHandle, KeysWouldBeReadableError, send_update
from workflows.messages import (
    ActionAnswer,
    ExecuteAnswer,
    ExecuteRequest,
    InvocationResult,
    Json,
    RunInvocation,
    StatusReport,
    StopRequest,
)

FAR = 9e9
"""A due time that no test reaches."""


def idle(request: RunInvocation) -> InvocationResult:
    """Respond as an automation that waits for a long time, and whose priority actions return their script."""
    if any(action["dsl_script"] == "refuse" for action in request.priority_actions):
        raise ApplicationError("refused", type="PendingPriorityActionsSkippedError", non_retryable=True)
    answers = {action["id"]: ActionAnswer(value=action["dsl_script"]) for action in request.priority_actions}
    asked = request.state.get("asked", []) + list(answers)
    return counted(request, state={"asked": asked}, due_at=FAR, wake_at=FAR, answers=answers)


def broken(request: RunInvocation) -> InvocationResult:
    """Respond as an automation that a person must repair."""
    raise ApplicationError("the API key is wrong", type="ConfigurationError", non_retryable=True)


async def execute(handle: AutomationHandle, *scripts: str, update_id: str | None = None) -> ExecuteAnswer:
    """Send scripts as priority actions named after them."""
    actions: list[Json] = [{"id": f"do-{script}", "dsl_script": script} for script in scripts]
    request = ExecuteRequest(actions=actions)
    answer: ExecuteAnswer = await send_update(handle, Automation.execute, request, update_id=update_id)
    return answer


async def send(handle: AutomationHandle, script: str) -> WorkflowUpdateHandle[ExecuteAnswer]:
    """Send a script without waiting for its answer."""
    request = ExecuteRequest(actions=[{"id": f"do-{script}", "dsl_script": script}])
    return await handle.start_update(Automation.execute, request, wait_for_stage=WorkflowUpdateStage.ACCEPTED)


async def stop(handle: AutomationHandle) -> str:
    """Stop the automation; return its last status."""
    report: StatusReport = await handle.execute_update(Automation.stop, StopRequest())
    await handle.result()
    return report.status


async def test_execute_returns_what_each_action_returned_and_keeps_the_schedule(
    server: WorkflowEnvironment,
) -> None:
    async with serving(server.client, idle) as engine:
        handle = await start(server.client)
        await engine.called(1)
        answer = await execute(handle, "one", "two")
        report = await handle.query(Automation.status)
        await stop(handle)

    assert {name: done.value for name, done in answer.actions.items()} == {"do-one": "one", "do-two": "two"}
    assert report.due_at == FAR
    assert [request.trigger for request in engine.requests] == ["scheduled", "message"]


async def test_an_error_caused_by_a_message_fails_that_message_only(server: WorkflowEnvironment) -> None:
    async with serving(server.client, idle):
        handle = await start(server.client)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await execute(handle, "refuse")
        assert "refused" in str(caught.value.cause)
        assert (await execute(handle, "one")).actions["do-one"].value == "one"
        assert await stop(handle) == "stopped"


async def test_execute_returns_when_an_action_first_waits(server: WorkflowEnvironment) -> None:
    def waits(request: RunInvocation) -> InvocationResult:
        answers = {action["id"]: ActionAnswer(due_at=FAR) for action in request.priority_actions}
        return counted(request, due_at=FAR, wake_at=FAR, answers=answers)

    async with serving(server.client, waits):
        handle = await start(server.client)
        answer = await execute(handle, "wait")
        await stop(handle)

    assert answer.actions["do-wait"].due_at == FAR


async def test_execute_goes_on_over_several_invocations_until_each_action_has_ended(
    server: WorkflowEnvironment,
) -> None:
    def one_per_invocation(request: RunInvocation) -> InvocationResult:
        todo = request.state.get("todo", []) + [action["id"] for action in request.priority_actions]
        answers = {action_id: ActionAnswer(value="done") for action_id in todo[:1]}
        at = request.woken_at if todo[1:] else FAR
        state = {"todo": todo[1:]}
        return counted(request, state=state, due_at=at, wake_at=at, answers=answers)

    async with serving(server.client, one_per_invocation) as engine:
        handle = await start(server.client)
        await engine.called(1)
        answer = await execute(handle, "one", "two", "three")
        await stop(handle)

    assert {done.value for done in answer.actions.values()} == {"done"}
    assert [len(request.priority_actions) for request in engine.requests] == [0, 3, 0, 0]


async def test_messages_that_arrive_together_are_handled_one_after_the_other(
    server: WorkflowEnvironment,
) -> None:
    async with serving(server.client, idle):
        handle = await start(server.client)
        names = [f"number-{number}" for number in range(20)]
        answers = await asyncio.gather(*(execute(handle, name) for name in names))
        state = await handle.query(Automation.state)
        await stop(handle)

    assert [answer.actions[f"do-{name}"].value for answer, name in zip(answers, names, strict=True)] == names
    assert sorted(state["asked"]) == sorted(f"do-{name}" for name in names)


async def test_messages_that_arrive_during_an_invocation_are_handled_after_it_in_order(
    server: WorkflowEnvironment,
) -> None:
    async with serving(server.client, idle) as engine:
        engine.open.clear()
        handle = await start(server.client)
        await engine.called(1)
        accepted = [await send(handle, name) for name in ("one", "two")]
        assert len(engine.requests) == 1

        engine.open.set()
        for update in accepted:
            await update.result()
        await stop(handle)

    asked = [[action["id"] for action in request.priority_actions] for request in engine.requests]
    assert asked == [[], ["do-one"], ["do-two"]]


async def test_stop_waits_for_the_invocation_that_runs(server: WorkflowEnvironment) -> None:
    async with serving(server.client, idle) as engine:
        engine.open.clear()
        handle = await start(server.client)
        await engine.called(1)
        stopping = await handle.start_update(
            Automation.stop, StopRequest(), wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        engine.open.set()
        report = await stopping.result()
        result = await handle.result()

    assert (report.status, report.iteration) == ("stopped", 1)
    assert result.state["count"] == 1


async def test_no_message_is_lost_or_doubled_when_the_workflow_continues_as_new(
    server: WorkflowEnvironment,
) -> None:
    settings = ONE_ATTEMPT.model_copy(update={"continue_as_new_after": 20})
    async with serving(server.client, idle):
        handle = await start(server.client, settings=settings)
        names = [f"number-{number}" for number in range(12)]
        for name in names:
            await execute(handle, name, update_id=name)
        again = await asyncio.gather(*(execute(handle, name, update_id=name) for name in names))
        state = await handle.query(Automation.state)
        run_id = (await handle.describe()).run_id
        await stop(handle)

    assert state["asked"] == [f"do-{name}" for name in names]
    assert [answer.actions[f"do-{name}"].value for answer, name in zip(again, names, strict=True)] == names
    assert run_id != handle.first_execution_run_id


async def test_trigger_runs_an_invocation_now(server: WorkflowEnvironment) -> None:
    async with serving(server.client, idle) as engine:
        handle = await start(server.client)
        await engine.called(1)
        report = await handle.execute_update(Automation.trigger)
        await stop(handle)

    assert report.iteration == 2
    assert [request.trigger for request in engine.requests] == ["scheduled", "forced"]


async def test_a_trigger_during_an_outage_fails_without_stopping_the_automation(
    server: WorkflowEnvironment,
) -> None:
    def outage(request: RunInvocation) -> InvocationResult:
        raise ApplicationError("binance does not answer", type="RetryableError")

    async with serving(server.client, idle) as engine:
        handle = await start(server.client)
        await execute(handle, "one")
        engine.respond = outage
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await handle.execute_update(Automation.trigger)
        assert "binance does not answer" in str(caught.value.cause)
        assert (await handle.query(Automation.status)).status == "running"
        assert await stop(handle) == "stopped"


async def test_stop_works_while_an_automation_retries(server: WorkflowEnvironment) -> None:
    def outage(request: RunInvocation) -> InvocationResult:
        raise ApplicationError("binance does not answer", type="RetryableError")

    async with serving(server.client, outage):
        handle = await start(server.client)
        assert await stop(handle) == "stopped"


async def test_stop_cancels_open_orders_first_when_asked_to(server: WorkflowEnvironment) -> None:
    async with serving(server.client, idle) as engine:
        handle = await start(server.client)
        await handle.execute_update(Automation.stop, StopRequest(cancel_open_orders=True))
        result = await handle.result()

    assert engine.requests[-1].cancel_open_orders
    assert result.summary.status == "stopped"


async def test_an_automation_whose_orders_cannot_be_cancelled_is_not_stopped(
    server: WorkflowEnvironment,
) -> None:
    async with serving(server.client, idle) as engine:
        handle = await start(server.client)
        await execute(handle, "one")
        engine.respond = broken
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await handle.execute_update(Automation.stop, StopRequest(cancel_open_orders=True))
        assert "could not be cancelled: the API key is wrong" in str(caught.value.cause)
        assert await stop(handle) == "stopped"


async def test_entering_needs_attention_fails_the_messages_that_wait(server: WorkflowEnvironment) -> None:
    async with serving(server.client, broken) as engine:
        handle = await start(server.client)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await handle.execute_update(Automation.trigger)
        assert "the API key is wrong" in str(caught.value.cause)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await execute(handle, "one")
        assert "retry or stop" in str(refused.value.cause)

        engine.respond = idle
        report = await handle.execute_update(Automation.retry)
        assert report.status == "running"
        assert (await execute(handle, "one")).actions["do-one"].value == "one"
        await stop(handle)


async def test_retry_is_refused_when_nothing_failed(server: WorkflowEnvironment) -> None:
    async with serving(server.client, idle):
        handle = await start(server.client)
        await execute(handle, "one")
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await handle.execute_update(Automation.retry)
        assert "nothing to retry" in str(caught.value.cause)
        await stop(handle)


@pytest.mark.parametrize(
    "arguments",
    [
        {"actions": []},
        {"actions": [{"dsl_script": "1"}]},
        {"actions": [{"id": "a"}, {"id": "a"}]},
        {"action": []},
    ],
    ids=["none", "no id", "same id", "misspelt"],
)
async def test_a_malformed_message_is_refused_before_it_enters_history(
    server: WorkflowEnvironment, arguments: Json
) -> None:
    async with serving(server.client, idle):
        handle = await start(server.client)
        await execute(handle, "one")
        events = len((await handle.fetch_history()).events)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("execute", arguments, id=uuid.uuid4().hex)
        assert len((await handle.fetch_history()).events) == events
        await stop(handle)


async def test_starting_the_same_automation_twice_is_an_error(server: WorkflowEnvironment) -> None:
    state = new_state()
    async with serving(server.client, idle):
        handle = await start(server.client, state)
        with pytest.raises(WorkflowAlreadyStartedError):
            await start(server.client, state)
        await stop(handle)


async def test_keys_that_temporal_would_store_readably_never_get_there(server: WorkflowEnvironment) -> None:
    account = {"auth_details": {"api_secret": "canary"}}
    with pytest.raises(KeysWouldBeReadableError, match="OCTOFLOW_ENCRYPTION_KEY"):
        await start(server.client, new_state(exchange_account_details=account))


async def test_the_state_is_shown_without_credentials(server: WorkflowEnvironment) -> None:
    account = {
        "exchange_details": {"internal_name": "binance"},
        "auth_details": {"credential_ref": "env:CANARY"},
    }
    async with serving(server.client, idle):
        handle = await start(server.client, new_state(exchange_account_details=account))
        shown = await handle.query(Automation.state)
        await stop(handle)

    assert shown["exchange_account_details"] == {"exchange_details": {"internal_name": "binance"}}
