"""Throughput of the durable loop, beside a loop whose activity does nothing."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.collector import freeze_startup
from activities.invocation import InvocationActivities
from activities.starting import start_of
from benchmarks.engine_figures import State, independent
from benchmarks.figures import Figure
from benchmarks.null_loop import NullLoop, do_nothing
from connection import plugin
from engine.state import load_state
from workflows.automation import Automation
from workflows.client import start_automation
from workflows.messages import StopRequest

AUTOMATIONS: Final = 20
SECONDS: Final = 4.0
ROUNDS: Final = 6
"""Both loops run in turns, so that a slow moment of the machine does not meet only one of them."""

QUEUE: Final = "bench"

Handle = WorkflowHandle[Any, Any]


@dataclass(frozen=True, slots=True)
class Loop:
    """How a kind of loop is started, counted and ended."""

    start: Callable[[Client, str], Awaitable[Handle]]
    count: Callable[[Handle], Awaitable[int]]
    stop: Callable[[Handle], Awaitable[object]]


async def loop_figures() -> AsyncIterator[Figure]:
    """Invocations per second of 20 automations of one pure action, on an in-memory server."""
    freeze_startup()  # as a worker does
    binary = Path(sys.executable).with_name("temporal")
    async with (
        await WorkflowEnvironment.start_local(
            plugins=[plugin()],
            dev_server_existing_path=str(binary),
            dev_server_log_level="never",
        ) as environment,
        Worker(
            environment.client,
            task_queue=QUEUE,
            workflows=[Automation, NullLoop],
            activities=[InvocationActivities().run_invocation, do_nothing],
        ),
    ):
        rates: dict[str, list[float]] = {"octoflow": [], "null": []}
        for _ in range(ROUNDS):
            rates["null"].append(await _rate(environment.client, _NULL))
            rates["octoflow"].append(await _rate(environment.client, _OCTOFLOW))
    octoflow, null = (sum(rates[name]) / ROUNDS for name in ("octoflow", "null"))
    yield Figure(name="loop, 20 automations of one pure action", value=octoflow, unit="invocations/s")
    yield Figure(
        name="loop, throughput beside a loop that does nothing",
        value=octoflow / null,
        unit="x",
        at_least=0.8,
        peer=f"null loop, {null:.0f} activities/s",
    )


async def _rate(client: Client, loop: Loop) -> float:
    run = time.monotonic_ns()
    handles = await asyncio.gather(*(loop.start(client, f"bench-{run}-{n}") for n in range(AUTOMATIONS)))
    try:
        await asyncio.sleep(1)  # warm-up: the first tasks of a workflow load its code
        before, begin = await _total(handles, loop), time.perf_counter()
        await asyncio.sleep(SECONDS)
        after, end = await _total(handles, loop), time.perf_counter()
        return (after - before) / (end - begin)
    finally:
        await asyncio.gather(*(loop.stop(handle) for handle in handles))


async def _total(handles: list[Handle], loop: Loop) -> int:
    return sum(await asyncio.gather(*(loop.count(handle) for handle in handles)))


def _looping_state() -> State:
    state: dict[str, Any] = independent(1)
    action = state["automation"]["actions_dag"]["actions"][0]
    action["reset_target_action_id"] = action["id"]
    return state


async def _start_automation(client: Client, name: str) -> Handle:
    start = start_of(load_state(_looping_state()))
    return await start_automation(client, start, task_queue=QUEUE, automation_id=name)


async def _iterations(handle: Handle) -> int:
    report = await handle.query(Automation.status)
    return int(report.iteration)


async def _start_null(client: Client, name: str) -> Handle:
    return await client.start_workflow(NullLoop.run, _looping_state(), id=name, task_queue=QUEUE)


async def _null_rounds(handle: Handle) -> int:
    return int(await handle.query(NullLoop.rounds))


async def _stop_automation(handle: Handle) -> object:
    return await handle.execute_update(Automation.stop, StopRequest())


async def _stop_null(handle: Handle) -> object:
    await handle.signal(NullLoop.stop)
    return await handle.result()


_OCTOFLOW: Final = Loop(_start_automation, _iterations, _stop_automation)
_NULL: Final = Loop(_start_null, _null_rounds, _stop_null)
