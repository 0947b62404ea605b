"""Arguments that an operator evaluates itself, and the memory that lets it start anew after a suspension."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any

from engine.dsl.running.code import Code
from engine.dsl.running.frame import Frame
from engine.dsl.running.resumable import value_of
from engine.errors import ActionStatus, DslError, TextPosition


class Memory:
    """The outcomes of one call's lazy arguments in the order they were asked for.

    When the call is resumed, its operator starts anew and asks for the same outcomes; it is given the ones of
    before, so that nothing is evaluated twice.

    Attributes:
        entries: `[True, value]` or `[False, error as a dict]`.
    """

    __slots__ = ("_next", "entries")

    def __init__(self, entries: list[Any]) -> None:
        self.entries = entries
        self._next = 0

    @property
    def remembers(self) -> bool:
        """Whether the next outcome is known from before the suspension."""
        return self._next < len(self.entries)

    def replay(self) -> Any:
        """Return, or raise, the next outcome of before."""
        succeeded, content = self.entries[self._next]
        self._next += 1
        if not succeeded:
            raise _error_of(content)
        return content

    def succeeded(self, value: Any) -> None:
        """Remember a value."""
        self._record([True, value])

    def failed(self, error: DslError) -> None:
        """Remember an error."""
        self._record([False, _content_of(error)])

    def _record(self, entry: list[Any]) -> None:
        self.entries.append(entry)
        self._next += 1


class Thunk:
    """An argument that is evaluated when its operator awaits it; the `LazyValue` of the markers."""

    __slots__ = ("_code", "_frame", "_journal", "_placeholder")

    def __init__(self, frame: Frame, code: Code, placeholder: int | None, journal: Memory | None) -> None:
        self._frame = frame
        self._code = code
        self._placeholder = placeholder
        self._journal = journal

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._evaluate().__await__()

    def using(self, placeholder: Any) -> Awaitable[Any]:
        """Evaluate with `LOCAL_VALUE_PLACEHOLDER` bound to a value."""
        if self._placeholder is not None:
            self._frame.slots[self._placeholder] = placeholder
        return self._evaluate()

    async def _evaluate(self) -> Any:
        journal = self._journal
        if journal is None:
            return await value_of(self._code, self._frame)
        if journal.remembers:
            return journal.replay()
        try:
            value = await value_of(self._code, self._frame)
        except DslError as error:
            journal.failed(error)
            raise
        journal.succeeded(value)
        return value


def _content_of(error: DslError) -> dict[str, Any]:
    position = error.position
    return {
        "code": error.code,
        "message": error.message,
        "position": [position.line, position.column] if position else None,
        "excerpt": error.excerpt,
        "suggestion": error.suggestion,
        "status": error.status.value,
    }


def _error_of(content: dict[str, Any]) -> DslError:
    place = content["position"]
    return DslError(
        content["message"],
        code=content["code"],
        position=TextPosition(*place) if place else None,
        excerpt=content["excerpt"],
        suggestion=content["suggestion"],
        status=ActionStatus(content["status"]),
    )
