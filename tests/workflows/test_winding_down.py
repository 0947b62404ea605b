"""A stop settles what is under way first, for as long as that makes sense."""

from __future__ import annotations

from itertools import pairwise

import pytest
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.support.intents import create
from tests.support.temporal import LATE, ONE_ATTEMPT, counted, new_state, serving, start
from workflows.automation import Automation
from workflows.client import AutomationHandle
from workflows.messages import InvocationResult, Json, RunInvocation, StatusReport, StopRequest

ACCEPTED = WorkflowUpdateStage.ACCEPTED


def trading(request: RunInvocation) -> InvocationResult:
    """Respond as an automation with an effect under way that is settled in the third round of a stop."""
    rounds = request.state.get("rounds", 0) + request.stopping
    left = rounds < 3
    status = "stopped" if request.stopping and not left else "running"
    at = request.woken_at + (6 if request.stopping else 3_600)
    return counted(
        request,
        state={"rounds": rounds},
        status=status,
        pending_effects=int(left),
        wake_at=at if left else None,
        due_at=at if left else None,
    )


def never_settled(request: RunInvocation) -> InvocationResult:
    """Respond as an automation with an effect whose fate nobody finds out."""
    at = request.woken_at + 60
    return counted(request, pending_effects=1, due_at=at, wake_at=at)


def outage(request: RunInvocation) -> InvocationResult:
    """Respond as an exchange that does not answer."""
    raise ApplicationError("binance does not answer", type="RetryableError")


def broken(request: RunInvocation) -> InvocationResult:
    """Respond as an account that a person must repair."""
    raise ApplicationError("the API key is wrong", type="ConfigurationError", non_retryable=True)


def idle(request: RunInvocation) -> InvocationResult:
    """Respond as an automation with nothing under way."""
    return counted(request, due_at=9e9, wake_at=9e9)


async def stopped(handle: AutomationHandle, *, cancel: bool = False) -> tuple[StatusReport, Json]:
    """Stop an automation and wait for its end, which lets the server skip time."""
    request = StopRequest(cancel_open_orders=cancel)
    await handle.start_update(Automation.stop, request, wait_for_stage=ACCEPTED)
    result = await handle.result()
    return result.summary, result.state


async def stop(handle: AutomationHandle, *, cancel: bool = False) -> StatusReport:
    return await handle.execute_update(Automation.stop, StopRequest(cancel_open_orders=cancel))


async def test_an_automation_with_nothing_under_way_stops_at_once(server: WorkflowEnvironment) -> None:
    async with serving(server.client, idle) as engine:
        handle = await start(server.client)
        await engine.called(1)
        report = await stop(handle)
        await handle.result()

    assert (report.status, report.reason) == ("stopped", None)
    assert len(engine.requests) == 1


async def test_a_stop_comes_again_until_everything_is_settled(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, trading) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        report, state = await stopped(handle)

    assert (report.status, report.reason) == ("stopped", None)
    assert state["rounds"] == 3
    rounds = [request for request in engine.requests if request.stopping]
    assert [later.woken_at - sooner.woken_at for sooner, later in pairwise(rounds)] == pytest.approx(
        [6, 6], abs=5
    )


async def test_orders_are_cancelled_in_the_rounds_of_a_stop_that_asks_for_it(
    skipping: WorkflowEnvironment,
) -> None:
    def cancelling(request: RunInvocation) -> InvocationResult:
        left = max(0, request.state.get("left", 3) - request.cancel_open_orders)
        return counted(request, state={"left": left}, open_orders=left, wake_at=request.woken_at + 5)

    async with serving(skipping.client, cancelling) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        report, state = await stopped(handle, cancel=True)

    assert (report.status, state["left"]) == ("stopped", 0)
    assert sum(request.cancel_open_orders for request in engine.requests) == 3


async def test_what_cannot_be_settled_is_reported_in_the_summary(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, never_settled) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        report, _state = await stopped(handle)

    assert report.status == "stopped"
    unsettled = "compare the exchange with the final state, this was not settled: 1 effects"
    assert unsettled in (report.reason or "")
    rounds = [request.woken_at for request in engine.requests if request.stopping]
    assert rounds[-1] - rounds[0] == pytest.approx(ONE_ATTEMPT.wind_down_timeout, abs=LATE)


async def test_a_stop_during_an_outage_tries_for_a_while_and_then_stops(
    skipping: WorkflowEnvironment,
) -> None:
    async with serving(skipping.client, never_settled) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        engine.respond = outage
        report, _state = await stopped(handle)

    assert report.status == "stopped"
    assert "binance does not answer (effects: 1)" in (report.reason or "")


async def test_a_stop_during_an_outage_that_ends_is_a_clean_one(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, trading) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        engine.respond = outage
        await handle.start_update(Automation.stop, StopRequest(), wait_for_stage=ACCEPTED)
        await skipping.sleep(90)
        report = await handle.query(Automation.status)
        assert "it stops when this has passed: binance does not answer" in (report.reason or "")
        engine.respond = trading
        result = await handle.result()

    assert (result.summary.reason, result.state["rounds"]) == (None, 3)


async def test_orders_that_cannot_be_cancelled_keep_an_automation_from_stopping(
    skipping: WorkflowEnvironment,
) -> None:
    async with serving(skipping.client, idle) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        engine.respond = outage
        request = StopRequest(cancel_open_orders=True)
        stopping = await handle.start_update(Automation.stop, request, wait_for_stage=ACCEPTED)
        await skipping.sleep(1_000)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await stopping.result()
        assert "could not be cancelled: binance does not answer" in str(caught.value.cause)
        assert (await stop(handle)).status == "stopped"
        await handle.result()


async def test_an_account_that_is_broken_can_be_stopped_and_says_what_is_left(
    server: WorkflowEnvironment,
) -> None:
    async with serving(server.client, never_settled) as engine:
        handle = await start(server.client)
        await engine.called(1)
        engine.respond = broken
        report = await stop(handle)
        await handle.result()

    assert report.status == "stopped"
    assert "the API key is wrong (effects: 1)" in (report.reason or "")


async def test_a_second_stop_that_cancels_orders_is_heard_between_two_rounds(
    server: WorkflowEnvironment,
) -> None:
    def cancels_only(request: RunInvocation) -> InvocationResult:
        return counted(request, status="stopped") if request.cancel_open_orders else never_settled(request)

    async with serving(server.client, cancels_only) as engine:
        handle = await start(server.client)
        await engine.called(1)
        first = await handle.start_update(Automation.stop, StopRequest(), wait_for_stage=ACCEPTED)
        await engine.called(2)
        assert (await stop(handle, cancel=True)).status == "stopped"
        assert (await first.result()).status == "stopped"
        await handle.result()

    assert [request.cancel_open_orders for request in engine.requests] == [False, False, True]


async def test_a_paused_automation_winds_down_as_well(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, trading) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        await handle.execute_update(Automation.pause)
        report, state = await stopped(handle)

    assert (report.status, state["rounds"]) == ("stopped", 3)


async def test_effects_that_a_state_brings_along_are_settled_even_before_its_first_run(
    skipping: WorkflowEnvironment,
) -> None:
    state = new_state()
    state["automation"]["execution"] = {"pending_effects": [create().model_dump(mode="json")]}
    async with serving(skipping.client, trading) as engine:
        engine.respond = broken
        handle = await start(skipping.client, state)
        await engine.called(1)
        engine.respond = trading
        report, state = await stopped(handle)

    assert (report.status, state["rounds"]) == ("stopped", 3)
