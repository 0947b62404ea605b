"""A worker whose loop is closed behind a test that hangs does not keep the loop."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.support import temporal
from tests.support.temporal import counted, development_server, serving, start


@pytest.mark.parametrize("seed", range(4))
async def test_a_test_ends_in_whatever_order_its_tasks_are_cancelled(
    temporal_binary: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(temporal, "SHUTDOWN_LIMIT", 1.0)
    async with development_server(temporal_binary) as server:

        async def hangs() -> None:
            async with serving(server.client, counted) as engine:
                await start(server.client)
                await engine.called(1)
                begun.set()
                await asyncio.Event().wait()

        others, begun = asyncio.all_tasks(), asyncio.Event()
        hanging = asyncio.create_task(hangs())
        await begun.wait()
        tasks = list(asyncio.all_tasks() - others)
        random.Random(seed).shuffle(tasks)
        for task in tasks:
            task.cancel()
        await asyncio.wait([hanging])
