"""Calls that are awaited to their end, whoever is cancelled meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def uninterrupted(call: Coroutine[Any, Any, T]) -> T:
    """Await a call to its end, however often the caller is cancelled meanwhile; then let it be cancelled.

    Raises:
        CancelledError: behind the call's end, when the caller was cancelled; its result is given up then.
    """
    task = asyncio.ensure_future(call)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as cancellation:
            cancelled = cancellation
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # looked at, so that nobody warns about an error that no one will hear of
        raise cancelled
    return task.result()
