"""Several requests at once, with the first failure as itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

T = TypeVar("T")


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


async def gathered(calls: Sequence[Awaitable[T]]) -> list[T]:
    """Await all calls at once and return their results in order; failures are those of `concurrently`."""
    results: dict[int, T] = {}

    async def keep(index: int, call: Awaitable[T]) -> None:
        results[index] = await call

    await concurrently([keep(index, call) for index, call in enumerate(calls)])
    return [results[index] for index in range(len(calls))]


async def _finish(call: Awaitable[None]) -> None:
    await call
