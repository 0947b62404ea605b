"""Keeps Python's garbage collector out of invocations: it runs between them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

YOUNG: Final = 1
FULL: Final = 2

COLLECT_EVERY: Final = 50
"""Invocations between two collections when there is a quiet moment after every one."""

COLLECT_AT_LAST: Final = 500
"""Invocations after which the collector runs even though others are under way."""

FULL_EVERY: Final = 20
"""Collections of which one looks at everything; the others look at what is young, in microseconds."""


class QuietCollector:
    """Switches automatic collection off while any invocation runs; all of them share the process.

    Invocations leave few cycles behind, so that collecting after some fifty of them is soon enough.
    """

    def __init__(self) -> None:
        self._running = 0
        self._since_collection = 0
        self._collections = 0

    @contextmanager
    def off(self) -> Iterator[None]:
        """Keep the collector from running inside this context."""
        self._running += 1
        gc.disable()
        try:
            yield
        finally:
            self._running -= 1
            self._since_collection += 1
            self._collect_if_quiet()

    def _collect_if_quiet(self) -> None:
        quiet = self._running == 0
        if self._since_collection >= (COLLECT_EVERY if quiet else COLLECT_AT_LAST):
            self._collections += 1
            gc.collect(YOUNG if self._collections % FULL_EVERY else FULL)
            self._since_collection = 0
        if quiet:
            gc.enable()


def freeze_startup() -> None:
    """Exempt everything that lives now, such as imported modules, from all later collections."""
    gc.collect()
    gc.freeze()
