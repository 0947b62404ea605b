"""What a message may be: any number of any JSON values is taken, and what is not its form is refused.

Nothing here waits or changes anything, so that validators and handlers read a message alike.
"""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Sequence
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from temporalio.exceptions import ApplicationError, CancelledError, FailureError

from workflows.messages import Json, Message

MAX_MESSAGE: Final = 200_000
"""Bytes of the JSON of an update: with the largest state, it has to fit one payload."""

MAX_EDIT: Final = 600_000
"""Bytes of the JSON of an edit, which may bring a whole automation."""

MAX_SIGNAL: Final = 16_000
"""Bytes of the JSON of a signal."""

MAX_DEPTH: Final = 64
"""Lists and objects inside each other."""

REFUSED: Final = "MessageRefused"
BUSY: Final = "Busy"
"""Type of the error that asks a sender to try again soon."""

_MAX_SHOWN: Final = 3
_Form = TypeVar("_Form", bound=Message)
_Answer = TypeVar("_Answer")


def read(name: str, form: type[_Form], sent: Sequence[Any], *, most: int = MAX_MESSAGE) -> _Form:
    """Return the message that was sent; nothing and `null` stand for one without fields.

    Args:
        name: of the message, for people.
        form: what it has to be.
        sent: what came.
        most: bytes that it may have.

    Raises:
        ApplicationError: `MessageRefused`; names each field that is wrong.
    """
    value = _only(name, sent)
    given = {} if value is None else value
    if not isinstance(given, dict):
        raise refusal(f"{name}: expected an object with {_fields(form)}, got {_kind(given)}")
    if flaw := flaw_of(given, most):
        raise refusal(f"{name}: {flaw}")
    try:
        return form.model_validate(given)
    except ValidationError as error:
        wrong = [f"{_path(one['loc'])}: {one['msg']}" for one in error.errors(include_input=False)]
        more = f" (and {len(wrong) - _MAX_SHOWN} more)" if len(wrong) > _MAX_SHOWN else ""
        raise refusal(f"{name}: {'; '.join(wrong[:_MAX_SHOWN])}{more}") from None


def read_nothing(name: str, sent: Sequence[Any]) -> None:
    """Take a message that has no form: whatever comes with it is refused.

    Raises:
        ApplicationError: `MessageRefused`.
    """
    if any(value not in (None, {}) for value in sent):
        raise refusal(f"{name} takes no input, and came with {_kind(sent[0])}")


def signal_in(sent: Sequence[Any]) -> Json | str:
    """Return the signal that was sent, or why it is none."""
    if len(sent) != 1 or not isinstance(sent[0], dict):
        return f"expected one object, got {_kind(sent[0]) if len(sent) == 1 else f'{len(sent)} values'}"
    signal: Json = sent[0]
    return flaw_of(signal, MAX_SIGNAL) or signal


def flaw_of(value: Any, most: int) -> str | None:
    """Return what keeps a value from being carried on as JSON, if anything does; never raises."""
    waiting: list[tuple[str, Any, int]] = [("", value, 0)]
    while waiting:
        path, one, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return f"{path[:80]}…: lists and objects are nested deeper than {MAX_DEPTH}"
        if isinstance(one, dict):
            waiting += ((f"{path}.{key}" if path else str(key), item, depth + 1) for key, item in one.items())
            waiting += ((f"{path} (a name)", key, depth + 1) for key in one)
        elif isinstance(one, list):
            waiting += ((f"{path}.{index}", item, depth + 1) for index, item in enumerate(one))
        elif isinstance(one, float) and not math.isfinite(one):
            return f"{path}: {one} is no number of JSON"
        elif isinstance(one, str) and not _is_text(one):
            return f"{path}: the text holds half a character"
    size = len(json.dumps(value, ensure_ascii=False).encode())
    return f"it has {size:,} bytes, and {most:,} are allowed" if size > most else None


async def alone(work: Awaitable[_Answer]) -> _Answer:
    """Await what a handler does; what it raises fails its message, and never the workflow's task.

    Raises:
        ApplicationError: whatever went wrong.
    """
    try:
        return await work
    except (FailureError, CancelledError):
        raise
    except Exception as error:
        raise ApplicationError(
            f"the message could not be handled: {type(error).__name__}: {error}",
            type="HandlerFailed",
            non_retryable=True,
        ) from None


def refusal(message: str) -> ApplicationError:
    """Return the error of a message that is refused."""
    return ApplicationError(message, type=REFUSED, non_retryable=True)


def _only(name: str, sent: Sequence[Any]) -> Any:
    if len(sent) > 1:
        raise refusal(f"{name} takes one value, and {len(sent)} came")
    return sent[0] if sent else None


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: Any) -> str:
    named = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return named.get(type(value), "a number")


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "the message"


def _fields(form: type[Message]) -> str:
    return ", ".join(form.model_fields)
