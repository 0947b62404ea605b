"""Adds to every log record which automation and iteration it is about."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_CONTEXT: ContextVar[str] = ContextVar("octoflow_log_context", default="")


@contextmanager
def logging_about(automation_id: str, iteration: int | None = None) -> Iterator[None]:
    """Name the automation, and once it is known its iteration, in the records logged inside this context."""
    token = _CONTEXT.set(f"[{automation_id}{'' if iteration is None else f' #{iteration}'}] ")
    try:
        yield
    finally:
        _CONTEXT.reset(token)


class ContextFilter(logging.Filter):
    """Gives records the attribute `context`, for `%(context)s` in a format; empty outside invocations."""

    def filter(self, record: logging.LogRecord) -> bool:
        """See base class."""
        record.context = _CONTEXT.get()
        return True
