"""A week of minutely invocations in virtual time: nothing grows, however long an automation runs."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.invocation import InvocationActivities
from activities.sizes import encoded_size
from tests.support.builders import action, automation
from tests.support.temporal import running, start, time_skipping
from workflows.automation import Automation
from workflows.messages import AutomationResult, InvocationResult, Json, RunInvocation

MINUTE = 60
WEEK = 7 * 24 * 60
SAMPLES = 20
MEMORY_GROWTH = 16 * 2**20  # bytes: what allocators and caches take while they settle


@dataclass
class Watch:
    """The real activity, with a look at what must not grow."""

    every: int
    invocations: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    state_sizes: list[int] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    _activities: InvocationActivities = field(default_factory=InvocationActivities)

    @activity.defn(name="run_invocation")
    async def run_invocation(self, request: RunInvocation) -> InvocationResult:
        """Look, then do what the real one does."""
        self.runs[activity.info().workflow_run_id or ""] += 1
        if self.invocations % self.every == 0:
            self.state_sizes.append(encoded_size(request.state))
            self.memory.append(psutil.Process().memory_info().rss)
        self.invocations += 1
        return await self._activities.run_invocation(request)


def minutely(times: int) -> Json:
    """An automation of two actions that runs each minute, so often."""
    return automation(
        action("roll", "1 + 2 * 3"),
        action("report", "$roll + max(1, 2)", "roll"),
        schedule={"every": MINUTE, "max": times},
    )


async def run_for(times: int, binary: Path) -> tuple[AutomationResult, Watch, list[int]]:
    """Run it to its end; return the result, what was seen, and the length of each run's history."""
    watch = Watch(every=max(1, times // SAMPLES))
    async with time_skipping(binary) as server:
        client = server.client
        activities = [watch.run_invocation]
        async with running(Worker(client, task_queue="test", workflows=[Automation], activities=activities)):
            handle = await start(client, minutely(times))
            result = await handle.result()
            lengths = [await history_length(client, handle.id, run_id) for run_id in watch.runs]
    return result, watch, lengths


async def history_length(client: Client, automation_id: str, run_id: str) -> int:
    """Count the events of one run."""
    history = await client.get_workflow_handle(automation_id, run_id=run_id).fetch_history()
    return len(history.events)


def assert_nothing_grew(times: int, result: AutomationResult, watch: Watch, lengths: list[int]) -> None:
    """Check what was seen."""
    assert result.summary.status == "finished"
    assert result.summary.iteration == watch.invocations == times
    assert max(watch.state_sizes[1:]) - min(watch.state_sizes[1:]) < 64  # digits of counters
    assert len(lengths) > 1, "the automation never continued as new"
    assert max(lengths) < 4_096 + 16
    settled = watch.memory[SAMPLES // 4]
    assert watch.memory[-1] - settled < MEMORY_GROWTH


async def test_many_invocations_leave_nothing_behind(temporal_test_server_binary: Path) -> None:
    times = 600
    assert_nothing_grew(times, *await run_for(times, temporal_test_server_binary))


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_soak_of_a_week(temporal_test_server_binary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    result, watch, lengths = await run_for(WEEK, temporal_test_server_binary)
    with capsys.disabled():
        print(  # noqa: T201 - a soak is run to see its figures
            f"\n{WEEK} invocations in {time.monotonic() - begun:.0f} s, {len(lengths)} runs of at most "
            f"{max(lengths)} events, state {watch.state_sizes[1]} to {watch.state_sizes[-1]} bytes, "
            f"memory {watch.memory[SAMPLES // 4] / 1e6:.0f} to {watch.memory[-1] / 1e6:.0f} MB"
        )
    assert_nothing_grew(WEEK, result, watch, lengths)
