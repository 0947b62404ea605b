"""What happens when invocations fail: delays, a person's attention, and the way back."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import LATE, ONE_ATTEMPT, FakeEngine, counted, serving, start
from workflows.automation import Automation
from workflows.client import AutomationHandle
from workflows.messages import InvocationResult, RunInvocation, StopRequest

HOUR = 3600


def outage(request: RunInvocation) -> InvocationResult:
    """Respond as an exchange that does not answer."""
    raise ApplicationError("binance does not answer", type="RetryableError")


def wrong_key(request: RunInvocation) -> InvocationResult:
    """Respond as an account that a person must repair."""
    raise ApplicationError("the API key is wrong", type="ConfigurationError", non_retryable=True)


def finishes(request: RunInvocation) -> InvocationResult:
    """Respond with the last invocation of an automation."""
    return counted(request, status="finished")


async def status_of(handle: AutomationHandle) -> tuple[str, str]:
    report = await handle.query(Automation.status)
    return report.status, report.reason or ""


def delays(engine: FakeEngine) -> list[float]:
    return [later.woken_at - first.woken_at for first, later in pairwise(engine.requests)]


async def test_delays_double_up_to_an_hour_and_each_attempt_gets_the_time_of_its_own(
    skipping: WorkflowEnvironment,
) -> None:
    async with serving(skipping.client, outage) as engine:
        handle = await start(skipping.client)
        await skipping.sleep(4 * HOUR)
        assert await status_of(handle) == ("retrying", "binance does not answer")
        await handle.terminate()

    assert delays(engine) == pytest.approx([60, 120, 240, 480, 960, 1920, 3600, 3600], abs=LATE)


async def test_an_exchange_that_asks_for_more_time_gets_it(skipping: WorkflowEnvironment) -> None:
    def banned(request: RunInvocation) -> InvocationResult:
        raise ApplicationError("banned", type="RetryableError", next_retry_delay=timedelta(hours=2))

    async with serving(skipping.client, banned) as engine:
        handle = await start(skipping.client)
        await skipping.sleep(3 * HOUR)
        await handle.terminate()

    assert delays(engine) == pytest.approx([2 * HOUR], abs=LATE)


async def test_the_automation_goes_on_when_the_outage_ends(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, outage) as engine:
        handle = await start(skipping.client)
        await skipping.sleep(2 * HOUR)
        engine.respond = finishes
        result = await handle.result()

    assert result.summary.status == "finished"
    assert (result.summary.failures, result.summary.reason) == (0, None)


async def test_a_day_of_failures_asks_for_a_person_and_keeps_the_state(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, outage) as engine:
        handle = await start(skipping.client)
        await skipping.sleep(26 * HOUR)
        status, reason = await status_of(handle)
        assert status == "needs_attention"
        assert "24 h" in reason
        assert "binance does not answer" in reason
        attempts = len(engine.requests)

        await skipping.sleep(26 * HOUR)
        assert len(engine.requests) == attempts

        engine.respond = finishes
        await handle.execute_update(Automation.retry)
        assert (await handle.result()).state["count"] == 1


async def test_the_activity_is_attempted_several_times_before_the_workflow_waits(
    skipping: WorkflowEnvironment,
) -> None:
    def third_time_lucky(request: RunInvocation) -> InvocationResult:
        return next(responses)(request)

    responses = iter([outage, outage, finishes])
    settings = ONE_ATTEMPT.model_copy(update={"attempts": 3})
    async with serving(skipping.client, third_time_lucky) as engine:
        handle = await start(skipping.client, settings=settings)
        await handle.result()

    assert len({request.woken_at for request in engine.requests}) == 1


async def test_a_configuration_error_asks_for_a_person_at_once(skipping: WorkflowEnvironment) -> None:
    async with serving(skipping.client, wrong_key) as engine:
        handle = await start(skipping.client)
        await skipping.sleep(HOUR)
        assert await status_of(handle) == ("needs_attention", "the API key is wrong")
        assert len(engine.requests) == 1

        report = await handle.execute_update(Automation.stop, StopRequest())
        assert report.status == "stopped"
        await handle.result()


async def test_a_postponed_automation_comes_back_after_its_delay(skipping: WorkflowEnvironment) -> None:
    def maintenance_then_end(request: RunInvocation) -> InvocationResult:
        if request.state.get("count"):
            return finishes(request)
        at = request.woken_at + 600
        return counted(request, status="postponed", reason="maintenance", due_at=at, wake_at=at)

    async with serving(skipping.client, maintenance_then_end) as engine:
        handle = await start(skipping.client)
        await handle.result()

    assert delays(engine) == pytest.approx([600], abs=LATE)
