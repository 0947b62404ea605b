"""Checks of the Temporal server in use: that it answers, knows Octoflow's attributes, and is served."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from temporalio.client import Client

import connection
from cli.servers import backend
from cli.servers.checks.finding import Check, Finding, failed, ok, warning
from connection import NotReachableError, Settings


@dataclass(frozen=True, slots=True)
class Served:
    """The server in use, if it answers.

    Attributes:
        client: connected to it; None when it is the development server of this machine, which is not running.
        task_queue: the queue that workers should serve.
    """

    client: Client | None
    task_queue: str


@asynccontextmanager
async def the_server(settings: Settings) -> AsyncIterator[Served]:
    """Connect to the server in use.

    Raises:
        NotReachableError: it is a configured one, and does not answer.
    """
    try:
        client = await connection.connect(settings)
    except NotReachableError:
        if connection.configured_address():
            raise
        client = None
    yield Served(client, settings.task_queue)


async def _answers(server: Served) -> Sequence[Finding]:
    if server.client is None:
        advice = "`octoflow run` starts one by itself; `octoflow server` starts one that stays."
        return [warning("no Temporal server is running on this machine", advice)]
    address = server.client.service_client.config.target_host
    return [ok(f"{address} answers, namespace {server.client.namespace}")]


async def _search_attributes(server: Served) -> Sequence[Finding]:
    if server.client is None:
        return []
    if await connection.search_attributes_registered(server.client):
        return [ok("registered: `octoflow list` can filter")]
    return [
        warning(
            "not registered, or the server does not tell: `octoflow list` cannot filter",
            "Register them with `octoflow setup`, then start the workers anew.",
        )
    ]


async def _worker(server: Served) -> Sequence[Finding]:
    if server.client is None:
        return []
    if await backend.is_served(server.client, server.task_queue):
        return [ok(f"the queue {server.task_queue!r} is served")]
    return [
        failed(
            f"no worker serves the queue {server.task_queue!r}: automations there stand still",
            "Start one with `octoflow worker`.",
        )
    ]


CHECKS: Final[Sequence[Check[Served]]] = (
    Check("Temporal server", _answers),
    Check("search attributes", _search_attributes),
    Check("worker", _worker),
)
