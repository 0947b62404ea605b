"""A worker process that runs workflows alone, to be killed.

Run as `python -m tests.support.workflow_worker TASK_QUEUE`; it prints `ready` once it polls. Whoever kills it
leaves the server waiting for it for some seconds.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Final

from temporalio.worker import Worker

from connection import connect
from workflows.automation import Automation

MISSED_AFTER: Final = timedelta(seconds=3)
"""How long tasks of the automations that it knows wait for it."""


async def main(task_queue: str) -> None:
    """Serve the queue until the process is killed."""
    worker = Worker(
        await connect(),
        task_queue=task_queue,
        workflows=[Automation],
        sticky_queue_schedule_to_start_timeout=MISSED_AFTER,
    )
    async with worker:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
