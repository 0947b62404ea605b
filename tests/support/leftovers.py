"""The processes that a test run started and that still run."""

from __future__ import annotations

import os
import uuid

import psutil

_VARIABLE = "OCTOFLOW_TEST_RUN"
_run: list[str] = []


def mark_this_run() -> None:
    """Make what this process starts from now on known by a variable that it inherits.

    Background processes have no parent any more, and are known by nothing else.
    """
    os.environ[_VARIABLE] = uuid.uuid4().hex
    _run[:] = [os.environ[_VARIABLE]]


def left_running() -> list[psutil.Process]:
    """Return the processes that this one started, directly or not, since it was marked."""
    return [process for process in psutil.process_iter() if _is_ours(process)]


def describe(process: psutil.Process) -> str:
    """Return a process in words."""
    try:
        return f"{process.pid} {' '.join(process.cmdline())}"
    except psutil.Error:
        return str(process.pid)


def _is_ours(process: psutil.Process) -> bool:
    try:
        return process.pid != os.getpid() and process.environ().get(_VARIABLE) in _run
    except (psutil.Error, OSError):
        return False
