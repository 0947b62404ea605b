"""Keeps secrets out of texts: by their value, whatever text they turn up in."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
SHORTEST_SECRET: Final = 4
"""Shorter values hide nothing, and masking them would make every text unreadable."""

_QUERY: Final = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*")
"""Addresses with a query: of a signed request it holds the signature."""


class Secrets:
    """Values that no text may show. Its `repr` shows none either."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        """Mask these values from now on, also quoted for an address, escaped for JSON, or line by line."""
        for value in values:
            self._forms.update(form for form in _forms_of(value) if len(form) >= SHORTEST_SECRET)
        # The longest first: a value may be a part of another one.
        longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def mask(self, text: str) -> str:
        """Return the text with `***` for each value, and without the queries of addresses."""
        hidden = self._pattern.sub(MASK, text) if self._pattern else text
        return _QUERY.sub(rf"\1?{MASK}", hidden)

    def inherit(self) -> Secrets:
        """Return a copy, which learns further values without telling them to this one."""
        copied = Secrets()
        copied._forms, copied._pattern = set(self._forms), self._pattern
        return copied

    def __repr__(self) -> str:
        return f"Secrets({len(self._forms)} hidden)"


_scope: ContextVar[Secrets | None] = ContextVar("octoflow_secrets", default=None)


@contextmanager
def masking() -> Iterator[None]:
    """Open the scope of one job: secrets that are registered in it are masked until it ends.

    Tasks and threads that are started inside belong to it. Jobs that run side by side have a scope each.
    """
    outer = _scope.get()
    token = _scope.set(outer.inherit() if outer else Secrets())
    try:
        yield
    finally:
        _scope.reset(token)


def register(values: Iterable[str]) -> None:
    """Mask these values in the current scope; without one there is nothing to keep them for."""
    secrets = _scope.get()
    if secrets is not None:
        secrets.add(values)


def mask(text: str) -> str:
    """Return a text without the secrets of the current scope, and without the queries of addresses."""
    return (_scope.get() or _NONE).mask(text)


class MaskingFilter(logging.Filter):
    """Masks log records in place: message, arguments, traceback, stack and extra texts.

    A filter belongs on handlers: those on loggers do not see the records of loggers below them.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; every record passes."""
        record.msg, record.args = mask(record.getMessage()), ()
        if record.exc_info:
            # The exception itself would be formatted again by whoever finds it.
            record.exc_text = (
                record.exc_text or "".join(traceback.format_exception(*record.exc_info)).rstrip()
            )
            record.exc_info = None
        for name, value in record.__dict__.items():
            if isinstance(value, str):
                record.__dict__[name] = mask(value)
        return True


def _forms_of(value: str) -> Iterator[str]:
    """Yield a value as it may be written: in plain, in an address, in JSON, each of its lines."""
    plain = value.strip()
    yield plain
    yield from (quote(plain, safe=""), quote(plain), quote_plus(plain), json.dumps(plain)[1:-1])
    lines = plain.splitlines()
    if len(lines) > 1:
        # The first and the last line of a PEM key say what it is, and are no secret.
        yield from (line.strip() for line in lines if not line.startswith("-----"))


_NONE: Final = Secrets()
