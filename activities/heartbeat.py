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
    beats = _Beats(timeout.total_seconds() / BEATS_PER_TIMEOUT)
    try:
        yield
    finally:
        beats.stop()


class _Beats:
    """A timer that renews itself; a task would cost short invocations two more turns of the loop."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(interval, self._beat)

    def _beat(self) -> None:
        activity.heartbeat()
        self._timer = self._loop.call_later(self._interval, self._beat)

    def stop(self) -> None:
        self._timer.cancel()
