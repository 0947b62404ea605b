"""An activity that works says so without being asked."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta

from temporalio.testing import ActivityEnvironment

from activities.heartbeat import BEATS_PER_TIMEOUT, beating


async def test_it_beats_several_times_per_timeout_and_stops_with_the_activity() -> None:
    beats = asyncio.Semaphore(0)
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, heartbeat_timeout=timedelta(seconds=0.04))
    environment.on_heartbeat = lambda *_: beats.release()

    async def work() -> None:
        with beating():
            for _ in range(2 * BEATS_PER_TIMEOUT):
                await beats.acquire()

    await environment.run(work)
    assert beats.locked(), "it went on after the activity"


async def test_it_is_silent_when_nobody_listens() -> None:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, heartbeat_timeout=None)
    beats: list[object] = []
    environment.on_heartbeat = lambda *details: beats.append(details)

    async def work() -> None:
        with beating():
            await asyncio.sleep(0)

    await environment.run(work)
    assert not beats
