"""Keeps track of the server and worker processes of this user, and starts them in the background."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import psutil

BACKGROUND_VARIABLE: Final = "OCTOFLOW_BACKGROUND"
"""Set in the environment of processes that `octoflow run` started by itself."""

STOP_SECONDS: Final = 15.0

ProcessKind = Literal["server", "worker"]


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A running process of ours, as noted in the data folder.

    Attributes:
        kind: what it does.
        pid: its process id.
        created: when it was started, UNIX seconds; with the pid it names one process for ever.
        background: whether `octoflow run` started it, and may end it.
    """

    kind: ProcessKind
    pid: int
    created: float
    background: bool

    def process(self) -> psutil.Process | None:
        """Return the process, or None if it is gone (its pid may belong to another by now)."""
        try:
            process = psutil.Process(self.pid)
            alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
            return process if alive and abs(process.create_time() - self.created) < 1 else None
        except psutil.Error:
            return None


def _folder(home: Path) -> Path:
    return home / "processes"


def running(home: Path, kind: ProcessKind | None = None) -> list[ProcessRecord]:
    """Return the noted processes that are alive; notes of dead ones are removed."""
    records: list[ProcessRecord] = []
    for file in sorted(_folder(home).glob("*.json")):
        try:
            record = ProcessRecord(**json.loads(file.read_text()))
        except (ValueError, TypeError, OSError):
            record = None
        if record is None or record.process() is None:
            file.unlink(missing_ok=True)
        elif kind in (None, record.kind):
            records.append(record)
    return records


@contextmanager
def noted(home: Path, kind: ProcessKind) -> Iterator[None]:
    """Note that this process is a server or a worker for as long as the block runs."""
    record = ProcessRecord(
        kind, os.getpid(), psutil.Process().create_time(), BACKGROUND_VARIABLE in os.environ
    )
    file = _folder(home) / f"{kind}-{record.pid}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(record)))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class BackgroundProcess:
    """A process that was just started in the background, and where it writes its log."""

    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone again."""
        return self.popen.poll() is not None

    def end(self) -> None:
        """End the process in order, and wait until it is gone."""
        if not self.has_ended:
            self.popen.terminate()
            _wait_or_kill(psutil.Process(self.popen.pid))

    def last_words(self) -> str:
        """Return the end of its log, to say why it did not start."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return "\n".join(lines[-5:]) or f"see {self.log}"


def spawn(home: Path, kind: ProcessKind) -> BackgroundProcess:
    """Start `octoflow server` or `octoflow worker` so that it outlives this process and its terminal."""
    log = home / "logs" / f"{kind}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, "-m", "cli", kind],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, BACKGROUND_VARIABLE: "1"},
            start_new_session=True,
        )
    return BackgroundProcess(popen, log)


def stop(records: list[ProcessRecord]) -> list[ProcessRecord]:
    """End processes gracefully, workers before servers, and return those that were running."""
    stopped: list[ProcessRecord] = []
    for record in sorted(records, key=lambda record: record.kind, reverse=True):
        process = record.process()
        if process is None:
            continue
        process.terminate()
        stopped.append(record)
        _wait_or_kill(process)
    return stopped


def _wait_or_kill(process: psutil.Process) -> None:
    try:
        process.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        for child in [*process.children(recursive=True), process]:
            child.kill()
