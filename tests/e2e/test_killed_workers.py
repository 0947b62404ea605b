"""A worker that is killed loses nothing: the automation ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.starting import start_of
from engine.market.recordings import Recording, candle_path
from engine.state import load_state
from engine.types import Symbol, TimeFrame
from tests.conftest import REPOSITORY
from tests.support.builders import action, automation, paper
from tests.support.temporal import FAST, development_server
from workflows.automation import Automation
from workflows.client import AutomationHandle, start_automation
from workflows.messages import Json

FOUR_HOURS = 4 * 3600
WARM_UP = 60 * FOUR_HOURS
ROUNDS = 8
ROUND_SECONDS = 0.4
SETTINGS = FAST.model_copy(update={"attempts": 20, "heartbeat_timeout": 1, "attempts_timeout": 60})

pytestmark = pytest.mark.timeout(120)


class WorkerProcess:
    """A worker of its own process, which tells when an invocation begins."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def line(self, expected: str) -> None:
        """Wait until the worker says so."""
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode().strip():
            if line == expected:
                return
        pytest.fail(f"the worker ended before it said '{expected}'")

    async def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._process.kill()
        await self._process.wait()

    async def terminate(self) -> int | None:
        """Ask it to end; return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return await self._process.wait()

    async def ended(self) -> None:
        """Make sure that it is gone."""
        if self._process.returncode is None:
            await self.kill()


StartWorker = Callable[..., Awaitable[WorkerProcess]]


@pytest.fixture
async def server(temporal_binary: Path) -> AsyncIterator[WorkflowEnvironment]:
    """A real server, in memory."""
    async with development_server(temporal_binary) as environment:
        yield environment


@pytest.fixture
async def start_worker(server: WorkflowEnvironment) -> AsyncIterator[StartWorker]:
    """Starts worker processes, and ends those that the test leaves."""
    started: list[WorkerProcess] = []
    environment = {
        **os.environ,
        "TEMPORAL_ADDRESS": server.client.service_client.config.target_host,
        "OCTOFLOW_WORKER_STICKY_TIMEOUT": "0.5",
        "OCTOFLOW_WORKER_HEARTBEAT_INTERVAL": "0.2",
    }

    async def start_one(seconds: float = 0.0) -> WorkerProcess:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.announcing_worker", "test", str(seconds)),
            env=environment,
            cwd=REPOSITORY,
            stdout=PIPE,
        )
        started.append(WorkerProcess(process))
        await started[-1].line("ready")
        return started[-1]

    yield start_one
    for worker in started:
        await worker.ended()


def trading(automation_id: str, market: Path) -> Json:
    """An automation that trades bitcoin every four hours of a recorded market."""
    symbol, time_frame = Symbol("BTC/USDT"), TimeFrame("4h")
    path = candle_path(market, "binance", symbol, time_frame)
    first, _ = Recording(symbol, time_frame, path).range()
    actions = (
        action("buy", "market('buy', 'BTC/USDT', '10%') if rsi(close, 14)[-1] < 80 else None"),
        action("rest", "wait(3600)", "buy"),
        action("sell", "market('sell', 'BTC/USDT', '50%') if total('BTC') > 0 else None", "rest"),
        action("offer", "limit('sell', 'BTC/USDT', '20%', '1%') if total('BTC') > 0 else None", "sell"),
    )
    state = automation(
        *actions,
        schedule={"every": FOUR_HOURS, "max": ROUNDS},
        defaults={"symbol": "BTC/USDT", "time_frame": "4h"},
    )
    state["automation"]["metadata"]["automation_id"] = automation_id
    speed = FOUR_HOURS / ROUND_SECONDS
    return paper(
        state, {"USDT": 1000}, recorded={"folder": str(market), "start": first + WARM_UP, "speed": speed}
    )


def without_names(state: Json) -> dict[str, Any]:
    """The state without the ids of its own that each automation has."""
    metadata = {"seed": state["automation"]["metadata"]["seed"]}
    return {**state, "automation": {**state["automation"], "metadata": metadata}}


async def launch(server: WorkflowEnvironment, automation_id: str, market: Path) -> AutomationHandle:
    """Start the automation on the test's queue."""
    start = start_of(load_state(trading(automation_id, market)))
    return await start_automation(server.client, start, task_queue="test", settings=SETTINGS)


async def iterations(handle: AutomationHandle, at_least: int) -> None:
    """Wait until so many invocations are complete."""
    while (await handle.query(Automation.status)).iteration < at_least:  # noqa: ASYNC110 - only a query tells
        await asyncio.sleep(0.02)


async def test_killing_workers_does_not_change_the_final_state(
    server: WorkflowEnvironment, start_worker: StartWorker, market_data: Path
) -> None:
    worker = await start_worker()
    undisturbed = await (await launch(server, "undisturbed", market_data)).result()

    disturbed = await launch(server, "disturbed", market_data)
    await iterations(disturbed, at_least=4)
    await worker.kill()  # between two invocations
    for _ in range(3):
        worker = await start_worker(0.2)
        await worker.line("begun")  # the invocation that was killed, again
        await worker.line("begun")
        await worker.kill()  # in the middle of the next
    await start_worker()
    result = await disturbed.result()

    assert result.summary.iteration == undisturbed.summary.iteration
    assert without_names(result.state) == without_names(undisturbed.state)
    assert len(result.state["automation"]["exchange_account_elements"]["trades"]) > ROUNDS


async def test_a_worker_that_is_asked_to_end_finishes_its_invocation(
    server: WorkflowEnvironment, start_worker: StartWorker, market_data: Path
) -> None:
    worker = await start_worker(1.0)
    handle = await launch(server, "deployed", market_data)
    await worker.line("begun")
    assert await worker.terminate() == 0

    await start_worker()
    await iterations(handle, at_least=2)
    attempts = {
        event.activity_task_started_event_attributes.attempt
        for event in (await handle.fetch_history()).events
        if event.HasField("activity_task_started_event_attributes")
    }
    assert attempts == {1}
    await handle.terminate()
