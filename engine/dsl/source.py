"""Turns offsets in a script into positions that people understand, and errors into positioned ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from engine.errors import DslError, TextPosition


def position_of(text: str, offset: int) -> TextPosition:
    """Return line and column, from 1, of an offset in a script."""
    offset = min(max(offset, 0), len(text))
    return TextPosition(text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1)


def error_at(text: str, offset: int, message: str, *, code: str, suggestion: str | None = None) -> DslError:
    """Return an error that stands at an offset of a script."""
    return DslError(message, code=code, suggestion=suggestion).at(position_of(text, offset), text)


_SKELETON: Final = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|#[^\n]*|[()\[\]{}]")


def brackets(text: str) -> Iterator[tuple[int, str]]:
    """Yield offset and sign of every bracket outside texts and comments."""
    for match in _SKELETON.finditer(text):
        sign = match.group()
        if sign in "()[]{}":
            yield match.start(), sign
