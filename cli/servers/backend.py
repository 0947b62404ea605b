"""Finds the server and a worker that commands need, and starts them in the background for `run`."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psutil
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

import connection
from cli.errors import CommandError, ExitCode
from cli.servers import processes
from connection import NotReachableError, Settings

START_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.2

STALE_POLLER_SECONDS: Final = 75.0
"""A poll lasts up to 60 s; a worker that has not come back for longer is gone."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A server that answers and a worker that serves it.

    Attributes:
        client: connected to the server.
        ui: address of the Temporal UI, where it is known.
    """

    client: Client
    ui: str | None

    def page_of(self, automation_id: str) -> str | None:
        """Return the address of an automation's page in the Temporal UI."""
        return f"{self.ui}/namespaces/{self.client.namespace}/workflows/{automation_id}" if self.ui else None

    def line_about(self, automation_id: str) -> str:
        """Return a line that says where an automation can be looked at in detail."""
        return f"Temporal UI: {self.page_of(automation_id) or 'that of your Temporal server'}"


def ui_address(settings: Settings) -> str | None:
    """Return the address of the Temporal UI, if the development server of this machine is in use."""
    return None if connection.configured_address() else f"http://127.0.0.1:{settings.ui_port}"


async def reach(settings: Settings) -> Backend:
    """Connect to a server that runs.

    Raises:
        NotReachableError: none does.
    """
    return Backend(await connection.connect(settings), ui_address(settings))


async def reach_served(settings: Settings) -> Backend:
    """Connect to a server that runs and has a worker, so that automations can answer.

    Raises:
        NotReachableError: no server runs.
        CommandError: no worker serves it.
    """
    backend = await reach(settings)
    if not await is_served(backend.client, settings.task_queue):
        message = f"no worker serves the queue {settings.task_queue!r}: start one with `octoflow worker`."
        raise CommandError(message, ExitCode.NOT_REACHABLE)
    return backend


async def ensure(settings: Settings, tell: Callable[[str], None]) -> Backend:
    """Connect to the server in use; start it and a worker in the background where they are missing.

    Args:
        settings: of this process.
        tell: gets a line for each process that is started.

    Raises:
        NotReachableError: the server is a configured one, and does not answer.
        CommandError: a process was started and ended at once.
    """
    spawned: list[processes.BackgroundProcess] = []

    def spawn(kind: processes.ProcessKind) -> processes.BackgroundProcess:
        tell(f"Starting a {'Temporal development server' if kind == 'server' else kind} ...")
        spawned.append(processes.spawn(settings.home, kind))
        return spawned[-1]

    try:
        return await _ensure(settings, spawn)
    except BaseException:  # Ctrl-C too leaves nothing behind that nobody uses
        for process in reversed(spawned):
            process.end()
        raise


async def _ensure(
    settings: Settings, spawn: Callable[[processes.ProcessKind], processes.BackgroundProcess]
) -> Backend:
    try:
        backend = await reach(settings)
    except NotReachableError:
        if connection.configured_address():
            raise
        backend = Backend(await _until_connected(settings, spawn("server")), ui_address(settings))
    if not await is_served(backend.client, settings.task_queue):
        await _until_served(backend.client, settings.task_queue, spawn("worker"))
    return backend


async def _until_connected(settings: Settings, server: processes.BackgroundProcess) -> Client:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return await connection.connect(settings)
        except NotReachableError:
            if server.has_ended or time.monotonic() > deadline:
                raise CommandError(server.last_words(), ExitCode.NOT_REACHABLE) from None
        await asyncio.sleep(POLL_SECONDS)


async def _until_served(client: Client, task_queue: str, worker: processes.BackgroundProcess) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not await is_served(client, task_queue):
        if worker.has_ended or time.monotonic() > deadline:
            raise CommandError(worker.last_words())
        await asyncio.sleep(POLL_SECONDS)


async def is_served(client: Client, task_queue: str) -> bool:
    """Tell whether a worker polls the queue for workflow tasks."""
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    return any(_is_alive(poller) for poller in answer.pollers)


def _is_alive(poller: PollerInfo) -> bool:
    """Tell a worker that polls from one that is gone: the server remembers pollers for five minutes."""
    pid, _, host = poller.identity.partition("@")
    if host == socket.gethostname() and pid.isdigit():
        return psutil.pid_exists(int(pid))
    return time.time() - poller.last_access_time.seconds < STALE_POLLER_SECONDS


async def anything_runs(client: Client, *, besides: str | None = None) -> bool:
    """Tell whether an automation runs on the server.

    Args:
        client: connected to the server.
        besides: one that does not count, because it just ended and the server's list may not know yet.
    """
    running = client.list_workflows("WorkflowType = 'Automation' AND ExecutionStatus = 'Running'", limit=2)
    return any([execution.id != besides async for execution in running])


def release(settings: Settings) -> list[processes.ProcessRecord]:
    """End the processes that `run` started in the background."""
    return processes.stop([record for record in processes.running(settings.home) if record.background])
