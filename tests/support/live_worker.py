"""Worker processes for automations on live accounts that are about to be killed.

Run as `python -m tests.support.live_worker`. It imports everything once, and then starts a worker for each
line `<guard> <task queue>` on its stdin (see `tests.support.unguarded`): a fork, so that a new worker costs a
tenth of a second. It answers with lines `polling <process id> <task queue>`, among what else is printed, and
ends with all its workers when stdin closes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Final

from temporalio.worker._worker import load_default_build_id

from connection import connect
from engine.exchanges.client import close_client, make_client
from engine.job.job import AutomationJob
from engine.job.request import InvocationRequest
from engine.job.services import EngineSettings, Services
from engine.live.settings import Delays, LiveSettings
from engine.state import ExchangeDetails
from tests.support.builders import action, automation
from tests.support.unguarded import Guard, opener, weakened
from worker import run_worker

ANNOUNCED: Final = "polling"
RECEIVE_WINDOW: Final = 0.6
WATCH_EVERY: Final = 2.0

IMPATIENT: Final = LiveSettings(
    receive_window=RECEIVE_WINDOW,
    fence_margin=0.2,
    zombie_margin=0.3,
    watch_every=WATCH_EVERY,
    recheck_every=1,
    postponements={
        "authentication": Delays(0.5, 1),
        "not_enough_funds": Delays(0.5, 1),
        "below_minimum": Delays(0.5, 1),
        "maintenance": Delays(0.5, 1),
    },
)
"""As careful as ever, for requests that take milliseconds and workers that are missed after two seconds."""


def live_services(guard: Guard = Guard.WHOLE) -> Services:
    """Return the services of a worker for the chaos tests."""
    live = weakened(IMPATIENT, guard)
    return Services(settings=EngineSettings(live=live), live_exchange=opener(guard))


async def _warm_up() -> None:
    """Do once what each worker would do: import the exchange, build the grammar, hash the code."""
    load_default_build_id()
    await close_client(make_client(ExchangeDetails(internal_name="binance")))
    await AutomationJob(InvocationRequest(state=automation(action("warm", "1 + 1")), now=0)).run()


async def _serve(task_queue: str, guard: Guard) -> None:
    def announce() -> None:
        # One write: several workers share the pipe.
        os.write(sys.stdout.fileno(), f"{ANNOUNCED} {os.getpid()} {task_queue}\n".encode())

    services = live_services(guard)
    await run_worker(await connect(), task_queue=task_queue, services=services, on_ready=announce)


def main() -> None:
    """Start a worker for every line of stdin, until it closes."""
    asyncio.run(_warm_up())
    workers = []
    for line in sys.stdin:
        guard, task_queue = line.split()
        worker = os.fork()
        if worker == 0:
            asyncio.run(_serve(task_queue, Guard(guard)))
            os._exit(0)
        workers.append(worker)
    # Until here none of them was waited for, dead or not: no other process can have got the id of one.
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)


if __name__ == "__main__":
    main()
