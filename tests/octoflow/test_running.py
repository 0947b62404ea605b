"""A program starts an automation on a server and talks to it, with nothing but the public face."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client

import octoflow
from octoflow.running import (
    Automation,
    ExecuteRequest,
    KeysWouldBeReadableError,
    NotReachableError,
    StopRequest,
)
from tests.octoflow.test_documented_python import run_page
from tests.support.temporal import development_server
from worker import run_worker

FILE = """
name: From a program
actions:
  rest: wait(3600)
"""


@asynccontextmanager
async def served(temporal: Path) -> AsyncIterator[tuple[Client, str]]:
    """A server with a worker of the usual queue: a client, and the address."""
    async with development_server(temporal) as server:
        ready, stop = asyncio.Event(), asyncio.Event()
        worker = run_worker(server.client, task_queue="octoflow", stop=stop, on_ready=ready.set)
        task = asyncio.create_task(worker)
        await ready.wait()
        try:
            yield server.client, server.client.service_client.config.target_host
        finally:
            stop.set()
            await task
            gc.unfreeze()  # a worker exempts what it finds at its start from garbage collection


async def test_a_program_starts_asks_and_stops(temporal_binary: Path) -> None:
    async with served(temporal_binary) as (_, address):
        client = await octoflow.connect(address)
        await octoflow.start_automation(client, octoflow.load_automation(FILE), automation_id="mine")
        handle = octoflow.automation_handle(client, "mine")
        question = ExecuteRequest(actions=[{"id": "question", "dsl_script": "2 ** 10"}])
        answer = await handle.execute_update(Automation.execute, question)
        report = await handle.query(Automation.status)
        await handle.execute_update(Automation.stop, StopRequest())
        result = await handle.result()
        attributes = (await handle.describe()).typed_search_attributes
    assert answer.actions["question"].value == 1024
    assert report.status == "running"
    assert result.summary.status == "stopped"
    assert octoflow.load_state(result.state).automation.metadata.name == "From a program"
    assert len(attributes) > 0


async def test_what_the_documentation_shows_works(
    temporal_binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = await asyncio.to_thread(run_page, "python.md")  # it starts an event loop of its own
    async with served(temporal_binary) as (_, address):
        monkeypatch.setenv("TEMPORAL_ADDRESS", address)
        assert await shown["run_for_a_while"](FILE) == {"answer": 1024, "status": "stopped"}


async def test_no_server_is_said() -> None:
    with pytest.raises(NotReachableError, match=r"no Temporal server answers at 127\.0\.0\.1:1"):
        await octoflow.connect("127.0.0.1:1")


async def test_keys_in_the_state_are_not_sent_readably(temporal_binary: Path) -> None:
    state = octoflow.dump_state(octoflow.load_automation(FILE))
    state["exchange_account_details"] = {
        "exchange_details": {"internal_name": "binance"},
        "auth_details": {"api_key": "key", "api_secret": "secret"},
    }
    async with development_server(temporal_binary) as server:
        with pytest.raises(KeysWouldBeReadableError):
            await octoflow.start_automation(server.client, state)
