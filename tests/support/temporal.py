"""Servers, workers and a stand-in for the engine, for tests of the durable side."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.starting import start_of
from connection import PROMPT_TIMERS, plugin, register_search_attributes
from engine.state import load_state
from workflows.automation import Automation
from workflows.client import AutomationHandle, start_automation
from workflows.messages import (
    ApplyEdit,
    EditChanges,
    EditResult,
    InvocationResult,
    Json,
    RunInvocation,
    View,
    WorkflowSettings,
)
from workflows.search_attributes import SEARCH_ATTRIBUTES

Respond = Callable[[RunInvocation], InvocationResult]

ONE_ATTEMPT = WorkflowSettings(invocation_timeout=60, heartbeat_timeout=60, attempts=1)
"""Settings with which no attempt is repeated, and none counts as dead while the test is slow."""

FAST = ONE_ATTEMPT.model_copy(update={"invocation_timeout": 5.0, "heartbeat_timeout": 2.0})
"""Settings with which dead workers are noticed within seconds."""


LATE = 25.0
"""Seconds by which what is due comes late on a slow machine: skipped time passes by itself, too."""

SHUTDOWN_LIMIT = 20.0
"""Seconds that a worker may take to shut down, which takes it less than one."""


class FakeEngine:
    """The activity `run_invocation` with an engine that does what the test says.

    Attributes:
        respond: what it answers.
        requests: what the workflow asked for, in order.
        edits: the edits that it asked for.
        open: cleared, invocations do not end until it is set again.
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self.requests: list[RunInvocation] = []
        self.edits: list[ApplyEdit] = []
        self.open = asyncio.Event()
        self.open.set()
        self._called = asyncio.Condition()

    @activity.defn(name="run_invocation")
    async def run_invocation(self, request: RunInvocation) -> InvocationResult:
        """Note the request and answer it."""
        self.requests.append(request)
        async with self._called:
            self._called.notify_all()
        await self.open.wait()
        return self.respond(request)

    @activity.defn(name="apply_edit")
    async def apply_edit(self, request: ApplyEdit) -> EditResult:
        """Note the edit in the state; it is refused if it adds an action without a script."""
        self.edits.append(request)
        if any("dsl_script" not in one for one in request.edit.upsert):
            raise ApplicationError("an action has no script", type="EditError", non_retryable=True)
        added = [one["id"] for one in request.edit.upsert]
        state = {**request.state, "edited": request.state.get("edited", []) + added}
        return EditResult(state=state, changes=EditChanges(added=added), view=View(details="| edited |"))

    async def called(self, times: int) -> None:
        """Wait until that many invocations were asked for."""
        async with self._called:
            await self._called.wait_for(lambda: len(self.requests) >= times)


def counted(request: RunInvocation, **result: Any) -> InvocationResult:
    """Return a result whose state counts the invocations; `state` adds to it."""
    count = request.state.get("count", 0) + 1
    state = {**request.state, **result.pop("state", {}), "count": count}
    known = {"status": "running", "iteration": count, "state": state, "woken_at": request.woken_at}
    return InvocationResult(**{**known, **result})


def new_state(**more: Any) -> Json:
    """Return the state of an automation with an id of its own."""
    return {"automation": {"metadata": {"automation_id": f"automation-{uuid.uuid4().hex[:8]}"}}, **more}


@asynccontextmanager
async def time_skipping(binary: Path) -> AsyncIterator[WorkflowEnvironment]:
    """A server whose clock jumps to the next timer while a workflow's result is awaited."""
    async with await WorkflowEnvironment.start_time_skipping(
        plugins=[plugin()],
        test_server_existing_path=str(binary),
        test_server_startup_timeout=timedelta(seconds=20),
    ) as environment:
        await register_search_attributes(environment.client)
        yield environment


@asynccontextmanager
async def development_server(
    binary: Path, database: Path | None = None
) -> AsyncIterator[WorkflowEnvironment]:
    """A real server with Octoflow's search attributes; in memory, if no database is named."""
    async with await WorkflowEnvironment.start_local(
        plugins=[plugin()],
        dev_server_existing_path=str(binary),
        dev_server_database_filename=None if database is None else str(database),
        identity="test",
        dev_server_log_level="never",
        dev_server_extra_args=PROMPT_TIMERS,
        dev_server_startup_timeout=timedelta(seconds=20),
        search_attributes=SEARCH_ATTRIBUTES,
    ) as environment:
        yield environment


@asynccontextmanager
async def serving(client: Client, respond: Respond) -> AsyncIterator[FakeEngine]:
    """A worker that runs automations with a fake engine."""
    engine = FakeEngine(respond)
    activities: list[Callable[..., object]] = [engine.run_invocation, engine.apply_edit]
    async with running(Worker(client, task_queue="test", workflows=[Automation], activities=activities)):
        yield engine


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[None]:
    """Run a worker until the block ends, and do not wait for ever until it has shut down.

    A loop that is closed behind a test which hangs cancels all tasks at once, the worker's own among them. In
    some orders the worker then never says that it has shut down, which `async with worker` waits for.
    """
    await worker.__aenter__()
    try:
        yield
    finally:
        async with asyncio.timeout(SHUTDOWN_LIMIT):
            await worker.__aexit__(*sys.exc_info())


async def start(
    client: Client, state: Json | None = None, settings: WorkflowSettings = ONE_ATTEMPT
) -> AutomationHandle:
    """Start an automation on the test's task queue."""
    start = start_of(load_state(state or new_state()))
    return await start_automation(client, start, task_queue="test", settings=settings)


async def reset(client: Client, handle: AutomationHandle, task: int) -> AutomationHandle:
    """Reset a history to one of its workflow tasks, counted from 0; return the handle of the new run."""
    completed = [
        event.event_id
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    answer = await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(
                workflow_id=handle.id, run_id=handle.first_execution_run_id or ""
            ),
            reason="test",
            workflow_task_finish_event_id=completed[task],
            request_id=uuid.uuid4().hex,
        )
    )
    return client.get_workflow_handle_for(Automation.run, handle.id, run_id=answer.run_id)
