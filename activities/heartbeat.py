"""Automatic heartbeats: an activity that works says so, so that a dead one is noticed soon."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from temporalio import activity

BEATS_PER_TIMEOUT: Final = 4


@contextmanager
def beating() -> Iterator[None]:
    """Send a heartbeat four times per heartbeat timeout, for as long as the context is open.

    The beats come from the event loop: an activity that blocks the loop is as silent as a dead one.
    """
    timeout = activity.info().heartbeat_timeout
    if not timeout:
        yield
        return
    beats = asyncio.create_task(_beat(timeout.total_seconds() / BEATS_PER_TIMEOUT))
    try:
        yield
    finally:
        beats.cancel()


async def _beat(interval: float) -> None:
    while True:
        await asyncio.sleep(interval)
        activity.heartbeat()
