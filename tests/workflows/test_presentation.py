"""What Temporal's UI and lists show of an automation, on a real server."""

from __future__ import annotations

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import ONE_ATTEMPT, counted, new_state, serving, start
from workflows.automation import Automation
from workflows.client import AutomationHandle
from workflows.messages import InvocationResult, RunInvocation, StatusReport, StopRequest, View
from workflows.presentation import attributes, details, timer_summary
from workflows.search_attributes import EXCHANGE, NEXT_RUN, STATUS, SYMBOLS

KNOWN = ONE_ATTEMPT.model_copy(update={"search_attributes": True})
DAY = 86_400


def daily(request: RunInvocation) -> InvocationResult:
    """Respond as an automation that trades bitcoin once a day."""
    view = View(
        details="| action | result |",
        next_actions="buy",
        attributes={EXCHANGE.name: "binance", SYMBOLS.name: ["BTC/USDT"]},
    )
    at = request.woken_at + DAY
    return counted(request, due_at=at, wake_at=at, view=view)


async def upserts(handle: AutomationHandle) -> int:
    """Count how often Octoflow's search attributes were set; the SDK sets one of its own for patches."""
    set_ones = [
        event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
    ]
    return sum(set(names) != {"TemporalChangeVersion"} for names in set_ones)


async def test_search_attributes_say_what_runs_where(server: WorkflowEnvironment) -> None:
    async with serving(server.client, daily) as engine:
        handle = await start(server.client, settings=KNOWN)
        await handle.execute_update(Automation.trigger)
        shown = (await handle.describe()).typed_search_attributes
        await handle.execute_update(Automation.stop, StopRequest())
        await handle.result()
        last = (await handle.describe()).typed_search_attributes

    assert (shown[STATUS], shown[EXCHANGE], list(shown[SYMBOLS])) == ("running", "binance", ["BTC/USDT"])
    assert shown[NEXT_RUN].timestamp() == pytest.approx(engine.requests[-1].woken_at + DAY, abs=1)
    assert last[STATUS] == "stopped"
    assert last.get(NEXT_RUN) is None


async def test_unknown_search_attributes_are_never_set(server: WorkflowEnvironment) -> None:
    async with serving(server.client, counted):
        handle = await start(server.client)
        await handle.execute_update(Automation.stop, StopRequest())
        await handle.result()
        assert await upserts(handle) == 0


async def test_attributes_are_set_only_when_they_change(skipping: WorkflowEnvironment) -> None:
    def minutely(request: RunInvocation) -> InvocationResult:
        if request.state.get("count") == 9:
            return counted(request, status="finished", view=View(attributes={}))
        at = request.woken_at + 60
        return counted(request, due_at=at, wake_at=at, view=View(attributes={}))

    async with serving(skipping.client, minutely):
        handle = await start(skipping.client)
        await handle.result()
        assert await upserts(handle) == 2  # running, finished


async def test_the_server_shows_summaries_and_details(server: WorkflowEnvironment) -> None:
    async with serving(server.client, daily) as engine:
        state = new_state()
        state["automation"]["metadata"]["name"] = "dip-buyer"
        handle = await start(server.client, state)
        await engine.called(1)
        await handle.execute_update(Automation.trigger)
        description = await handle.describe()
        current = await handle.query("__temporal_workflow_metadata")
        history = await handle.fetch_history()
        await handle.execute_update(Automation.stop, StopRequest())

    assert await description.static_summary() == "dip-buyer"
    assert "**running**" in current.current_details
    summaries = [event.user_metadata.summary.data.decode() for event in history.events]
    assert '"iteration 2: buy"' in summaries
    assert any(summary.startswith('"next run 20') for summary in summaries)


def test_details_say_why_a_person_is_needed() -> None:
    report = StatusReport(
        status="needs_attention", reason="the API key is wrong", iteration=3, details="| a |"
    )

    assert details(report) == "**needs attention** after 3 invocations\n\nthe API key is wrong\n\n| a |"


def test_a_retry_is_named_in_its_timer() -> None:
    assert timer_summary(StatusReport(status="retrying", failures=2)) == "attempt 3"


def test_a_near_run_is_not_worth_an_attribute() -> None:
    near = StatusReport(status="running", wake_at=1_060)
    far = StatusReport(status="running", wake_at=1_000 + DAY)

    assert attributes(near, {}, now=1_000)[NEXT_RUN.name] is None
    assert attributes(far, {}, now=1_000)[NEXT_RUN.name] == 1_000 + DAY


def test_a_paused_automation_has_no_next_run_but_says_what_is_due() -> None:
    paused = StatusReport(status="paused", due_at=1_000 + DAY, wake_at=1_000 + DAY)

    assert attributes(paused, {}, now=1_000)[NEXT_RUN.name] is None
    assert "Due: 1970-01-02" in details(paused)
