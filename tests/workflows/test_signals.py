"""Signals of leaders wake automations that copy them, in order, and wait where nobody can hear them."""

from __future__ import annotations

from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import ONE_ATTEMPT, FakeEngine, counted, serving, start
from workflows.automation import Automation
from workflows.carried import MAX_SIGNALS
from workflows.client import AutomationHandle
from workflows.messages import InvocationResult, RunInvocation, StopRequest

FAR = 9e9


def copying(request: RunInvocation) -> InvocationResult:
    """Respond as an automation that waits for its leader."""
    return counted(request, due_at=FAR, wake_at=FAR)


def outage(request: RunInvocation) -> InvocationResult:
    """Respond as an exchange that does not answer."""
    raise ApplicationError("binance does not answer", type="RetryableError")


def heard(engine: FakeEngine) -> list[int]:
    return [signal["number"] for request in engine.requests for signal in request.signals]


async def publish(handle: AutomationHandle, *numbers: int) -> None:
    for number in numbers:
        await handle.signal(Automation.trading_signal, {"number": number})


async def stop(handle: AutomationHandle) -> None:
    await handle.execute_update(Automation.stop, StopRequest())
    await handle.result()


async def test_a_signal_wakes_the_automation(server: WorkflowEnvironment) -> None:
    async with serving(server.client, copying) as engine:
        handle = await start(server.client)
        await handle.execute_update(Automation.trigger)
        calls = len(engine.requests)
        await publish(handle, 1)
        await engine.called(calls + 1)
        await stop(handle)

    assert engine.requests[-1].trigger == "signal"
    assert heard(engine) == [1]


async def test_signals_that_come_during_an_invocation_are_heard_by_the_next_one_in_order(
    server: WorkflowEnvironment,
) -> None:
    async with serving(server.client, copying) as engine:
        engine.open.clear()
        handle = await start(server.client)
        await engine.called(1)
        await publish(handle, 1, 2, 3)
        engine.open.set()
        await engine.called(2)
        await stop(handle)

    assert [signal["number"] for signal in engine.requests[1].signals] == [1, 2, 3]


async def test_signals_wait_for_the_end_of_a_pause(server: WorkflowEnvironment) -> None:
    async with serving(server.client, copying) as engine:
        handle = await start(server.client)
        await handle.execute_update(Automation.trigger)
        await handle.execute_update(Automation.pause)
        await publish(handle, 1, 2)
        calls = len(engine.requests)
        await handle.execute_update(Automation.resume)
        await engine.called(calls + 1)
        await stop(handle)

    assert heard(engine) == [1, 2]
    assert not engine.requests[-1].paused


async def test_signals_outlast_a_postponement_and_an_outage(skipping: WorkflowEnvironment) -> None:
    def postponed(request: RunInvocation) -> InvocationResult:
        at = request.woken_at + 3_600
        return counted(request, status="postponed", due_at=at, wake_at=at)

    async with serving(skipping.client, postponed) as engine:
        handle = await start(skipping.client)
        await engine.called(1)
        await publish(handle, 1)
        await skipping.sleep(10)
        assert len(engine.requests) == 1

        engine.respond = outage
        await skipping.sleep(3_600)
        await publish(handle, 2)
        await skipping.sleep(3_600)
        engine.respond = copying
        await skipping.sleep(3_600)
        await handle.terminate()

    delivered = [request for request in engine.requests if request.signals]
    assert [signal["number"] for signal in delivered[-1].signals] == [1, 2]


async def test_signals_survive_continue_as_new(server: WorkflowEnvironment) -> None:
    settings = ONE_ATTEMPT.model_copy(update={"continue_as_new_after": 20})
    async with serving(server.client, copying) as engine:
        handle = await start(server.client, settings=settings)
        for number in range(12):
            await publish(handle, number)
        await handle.execute_update(Automation.trigger)
        run_id = (await handle.describe()).run_id
        await stop(handle)

    assert run_id != handle.first_execution_run_id
    assert heard(engine) == list(range(12))


async def test_of_too_many_signals_the_newest_are_heard(server: WorkflowEnvironment) -> None:
    async with serving(server.client, copying) as engine:
        engine.open.clear()
        handle = await start(server.client)
        await engine.called(1)
        await publish(handle, *range(MAX_SIGNALS + 5))
        engine.open.set()
        await engine.called(2)
        await stop(handle)

    assert [signal["number"] for signal in engine.requests[1].signals] == list(range(5, MAX_SIGNALS + 5))


async def test_signals_wait_while_a_priority_action_does(server: WorkflowEnvironment) -> None:
    def busy(request: RunInvocation) -> InvocationResult:
        first = not request.state.get("count")
        return counted(request, due_at=FAR, wake_at=FAR, priority_due=first)

    async with serving(server.client, busy) as engine:
        handle = await start(server.client)
        await engine.called(1)
        await publish(handle, 1)
        await handle.execute_update(Automation.trigger)
        await engine.called(3)
        await stop(handle)

    assert [len(request.signals) for request in engine.requests] == [0, 0, 1]
