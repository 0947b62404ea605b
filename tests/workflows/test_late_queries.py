"""A question that waits for a worker does not change what the automation does, and its history replays."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from connection import plugin
from tests.conftest import REPOSITORY
from tests.support.temporal import FakeEngine, counted, running, start
from workflows.automation import Automation
from workflows.client import AutomationHandle
from workflows.messages import InvocationResult, RunInvocation, WorkflowSettings

PATIENT = WorkflowSettings(heartbeat_timeout=20)
ON_ITS_WAY = 0.5
"""Seconds that a query needs to reach the server, where nothing shows that it waits for a worker."""


def twice(request: RunInvocation) -> InvocationResult:
    """Respond as an automation of two invocations, the second of which is due a moment later."""
    if request.state.get("count") == 1:
        return counted(request, status="finished")
    at = request.woken_at + 0.1
    return counted(request, due_at=at, wake_at=at)


async def completed(handle: AutomationHandle) -> None:
    """Wait until the first invocation is in the history."""
    while True:
        events = (await handle.fetch_history()).events
        if any(event.HasField("activity_task_completed_event_attributes") for event in events):
            return


@asynccontextmanager
async def doomed_worker(server: WorkflowEnvironment) -> AsyncIterator[None]:
    """A worker of its own process, which is killed at the end of the block."""
    address = server.client.service_client.config.target_host
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.workflow_worker", "test"),
        cwd=REPOSITORY,
        env={**os.environ, "TEMPORAL_ADDRESS": address},
        stdout=PIPE,
    )
    assert process.stdout is not None
    try:
        await process.stdout.readline()
        yield
    finally:
        process.kill()
        await process.communicate()


async def test_an_invocation_that_ends_while_a_query_waits_for_a_worker_leaves_a_history_that_replays(
    server: WorkflowEnvironment,
) -> None:
    client, engine = server.client, FakeEngine(twice)
    engine.open.clear()
    activities: list[Callable[..., object]] = [engine.run_invocation, engine.apply_edit]
    async with running(Worker(client, task_queue="test", activities=activities)):
        async with doomed_worker(server):
            handle = await start(client, settings=PATIENT)
            await engine.called(1)
        question = asyncio.create_task(handle.query(Automation.status))
        await asyncio.sleep(ON_ITS_WAY)
        engine.open.set()
        await completed(handle)
        async with running(Worker(client, task_queue="test", workflows=[Automation])):
            await question
            assert (await handle.result()).summary.iteration == 2

    history = await handle.fetch_history()
    await Replayer(workflows=[Automation], plugins=[plugin()]).replay_workflow(history)
