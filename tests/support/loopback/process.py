"""Starts a loopback exchange as a process of its own."""

from __future__ import annotations

import json
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.conftest import REPOSITORY
from tests.support.loopback.control import LoopbackControl


@asynccontextmanager
async def loopback_process(dialect: str = "binance") -> AsyncIterator[LoopbackControl]:
    """Run the exchange until the block ends."""
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.loopback", "--dialect", dialect),
        cwd=REPOSITORY,
        stdin=PIPE,
        stdout=PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = json.loads(await process.stdout.readline())["url"]
        async with LoopbackControl(url) as control:
            yield control
    finally:
        process.stdin.close()
        await process.wait()
