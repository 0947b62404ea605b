"""The worker with the real engine, on servers that know Octoflow's search attributes and on others."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

import worker
from activities.starting import start_of
from connection import plugin
from engine.state import load_state
from tests.support.builders import action, automation
from tests.support.temporal import FAST, development_server
from worker import run_worker
from workflows.automation import Automation
from workflows.client import AutomationHandle, start_automation
from workflows.messages import ExecuteRequest, StopRequest
from workflows.search_attributes import STATUS


@pytest.fixture(autouse=True)
def nothing_stays_frozen() -> Iterator[None]:
    """A worker exempts what it finds at its start from garbage collection; here more tests follow."""
    yield
    gc.unfreeze()


@asynccontextmanager
async def working(client: Client) -> AsyncIterator[None]:
    """Run a worker, and let it finish at the end."""
    ready, stop = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(run_worker(client, task_queue="test", stop=stop, on_ready=ready.set))
    await ready.wait()
    yield
    stop.set()
    await task


async def start(client: Client) -> AutomationHandle:
    """Start an automation that waits for an hour."""
    state = automation(action("wait", "wait(3600)"), action("after", "1 + 1", "wait"))
    return await start_automation(client, start_of(load_state(state)), task_queue="test", settings=FAST)


async def test_a_script_is_executed_beside_the_schedule(temporal_binary: Path) -> None:
    async with development_server(temporal_binary) as server, working(server.client):
        handle = await start(server.client)
        request = ExecuteRequest(actions=[action("question", "2 ** 10")])
        answer = await handle.execute_update(Automation.execute, request)
        status = (await handle.describe()).typed_search_attributes[STATUS]
        await handle.execute_update(Automation.stop, StopRequest())
        result = await handle.result()

    assert answer.actions["question"].value == 1024
    assert status == "running"
    assert result.summary.status == "stopped"
    assert "executed_at" not in result.state["automation"]["actions_dag"]["actions"][0]


async def test_a_server_without_the_search_attributes_does_not_stall_automations(
    temporal_binary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        await WorkflowEnvironment.start_local(
            plugins=[plugin()], dev_server_existing_path=str(temporal_binary), dev_server_log_level="never"
        ) as server,
        working(server.client),
    ):
        handle = await start(server.client)
        await handle.execute_update(Automation.trigger)
        await handle.execute_update(Automation.stop, StopRequest())
        assert (await handle.describe()).typed_search_attributes.get(STATUS) is None

    assert "search attributes are not registered" in caplog.text


def test_a_worker_without_a_server_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")

    assert worker.main([]) == worker.EXIT_NOT_REACHABLE
    assert "no Temporal server answers at 127.0.0.1:9" in caplog.text


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"COMMUNITY_URL": "http://signals.example.org"}, "http://signals.example.org would carry tokens"),
        ({"COMMUNITY_URL": "signals.example.org"}, "must have the form https://host/path"),
        (
            {"COMMUNITY_URL": "https://signals.example.org", "COMMUNITY_TOKEN": "env:NOBODY"},
            "NOBODY_ACCESS_TOKEN",
        ),
        ({"MAX_INVOCATIONS": "many"}, "OCTOFLOW_WORKER_MAX_INVOCATIONS is 'many'"),
        ({"TRANSFER_ADDRESSES": "0x1,0x2"}, "OCTOFLOW_WORKER_TRANSFER_ADDRESSES cannot be read"),
    ],
)
def test_a_worker_with_a_setting_that_cannot_be_used_says_so_in_one_line(
    variables: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OCTOFLOW_WORKER_{name}", value)

    assert worker.main([]) == worker.EXIT_WRONG_SETTINGS
    (message,) = caplog.messages
    assert says in message
    assert "\n" not in message
