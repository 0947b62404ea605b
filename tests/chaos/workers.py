"""Worker processes that die, freeze and are replaced, as those of a real deployment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tests.chaos.incidents import Blow
from tests.conftest import REPOSITORY
from tests.support.live_worker import ANNOUNCED
from tests.support.unguarded import Guard

FROZEN_SECONDS: Final = 4.5
"""An attempt is missed after two silent seconds, and repeated a second later: a zombie goes on behind it."""


class Nursery:
    """The process that workers are forked from."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._waiting: dict[str, list[asyncio.Future[int]]] = {}

    async def worker(self, task_queue: str, guard: Guard) -> int:
        """Start a worker; return its process id once it polls."""
        assert self._process.stdin is not None
        ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(task_queue, []).append(ready)
        self._process.stdin.write(f"{guard.value} {task_queue}\n".encode())
        await self._process.stdin.drain()
        return await ready

    async def listen(self) -> None:
        """Hand process ids to those who wait for them, until the nursery ends."""
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode():
            match line.split():
                case [word, pid, task_queue] if word == ANNOUNCED:
                    self._waiting[task_queue].pop(0).set_result(int(pid))


@asynccontextmanager
async def nursery(environment: Mapping[str, str]) -> AsyncIterator[Nursery]:
    """Run a nursery until the block ends; then all its workers are gone."""
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.live_worker"),
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdin=PIPE,
        stdout=PIPE,
    )
    running = Nursery(process)
    listening = asyncio.create_task(running.listen())
    try:
        yield running
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await listening


@dataclass(slots=True)
class Crew:
    """The workers of one task queue; one of them is to be struck, the others replace it.

    Attributes:
        killed, frozen: how many were.
    """

    nursery: Nursery
    task_queue: str
    guard: Guard = Guard.WHOLE
    killed: int = 0
    frozen: int = 0
    _current: int | None = None
    _all: list[int] = field(default_factory=list)
    _stopped: list[int] = field(default_factory=list)
    _replacing: set[asyncio.Task[None]] = field(default_factory=set)

    async def hire(self) -> None:
        """Start a worker that takes over."""
        self._current = await self.nursery.worker(self.task_queue, self.guard)
        self._all.append(self._current)

    async def strike(self, blow: Blow) -> None:
        """Kill or freeze the worker at once; another one is started. Nothing happens while there is none."""
        if blow is Blow.GO_ON:
            self._go_on()
            return
        worker, self._current = self._current, None
        if worker is None:
            return
        self._spawn(self.hire())
        if blow is Blow.KILL:
            self.killed += 1
            os.kill(worker, signal.SIGKILL)
            return
        self.frozen += 1
        os.kill(worker, signal.SIGSTOP)
        self._stopped.append(worker)
        if blow is Blow.FREEZE:
            self._spawn(self._go_on_later())

    async def dismiss(self) -> None:
        """End all of them; the nursery keeps the ids of the dead from being used again."""
        for task in self._replacing:
            task.cancel()
        await asyncio.gather(*self._replacing, return_exceptions=True)
        for worker in self._all:
            os.kill(worker, signal.SIGKILL)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def _go_on_later(self) -> None:
        await asyncio.sleep(FROZEN_SECONDS)
        self._go_on()

    def _go_on(self) -> None:
        while self._stopped:
            os.kill(self._stopped.pop(), signal.SIGCONT)
