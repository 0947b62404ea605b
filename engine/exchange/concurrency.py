"""Several requests at once, with the first failure as itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence


async def concurrently(calls: Sequence[Awaitable[None]]) -> None:
    """Await all calls at once; when one fails, cancel the others and raise its error.

    A task group alone would raise an exception group, which says more than anybody can react to.
    """
    if len(calls) == 1:
        await calls[0]
        return
    try:
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(_finish(call))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _finish(call: Awaitable[None]) -> None:
    await call
