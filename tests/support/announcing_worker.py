"""A worker process that says on stdout when an invocation has begun, and takes its time over each.

Run as `python -m tests.support.announcing_worker TASK_QUEUE SECONDS`: each invocation that opens its market
prints the line `begun` and goes on SECONDS later, so that a test can end the process in the middle of it.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Collection, Mapping
from typing import Any

from connection import connect
from engine.job.services import Services
from engine.market.market import Market
from engine.market.market_protocols import MarketSource
from engine.market.sources import open_source
from engine.state import ExchangeDetails
from engine.types import Symbol
from worker import run_worker


class AnnouncingSource:
    """A market source whose first request takes long."""

    def __init__(self, source: MarketSource, seconds: float) -> None:
        self._source = source
        self._seconds = seconds

    async def markets(self, missing: Collection[Symbol] = ()) -> Mapping[Symbol, Market]:
        _say("begun")
        await asyncio.sleep(self._seconds)
        return await self._source.markets(missing)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(task_queue: str, seconds: float) -> None:
    """Serve the queue until SIGTERM."""

    def slow_source(details: ExchangeDetails) -> AnnouncingSource:
        return AnnouncingSource(open_source(details), seconds)

    await run_worker(
        await connect(),
        task_queue=task_queue,
        services=Services(market_source=slow_source),
        on_ready=lambda: _say("ready"),
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
    gc.collect()
