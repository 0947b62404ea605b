"""Bounds on what travels through Temporal, checked before an invocation can have effects."""

from __future__ import annotations

from typing import Any, Final

from pydantic_core import to_json

from engine.errors import ConfigurationError

MAX_STATE_BYTES: Final = 1_000_000
MAX_RESULT_BYTES: Final = 1_900_000
"""Temporal refuses 2 MB, and would have the activity retried after it acted."""


def encoded_size(value: Any) -> int:
    """Return the size in bytes of a value's JSON."""
    return len(to_json(value))


def check_state_size(state: dict[str, Any]) -> None:
    """Refuse a state that leaves no room for what an invocation may add to it.

    Raises:
        ConfigurationError: code `state_too_large`.
    """
    size = encoded_size(state)
    if size > MAX_STATE_BYTES:
        raise ConfigurationError(
            f"the automation's state has {size:,} bytes, more than {MAX_STATE_BYTES:,}: give it fewer "
            "actions, or actions with smaller results",
            code="state_too_large",
        )


def check_result_size(size: int) -> None:
    """Refuse a result that Temporal would not store.

    Raises:
        ConfigurationError: code `result_too_large`.
    """
    if size > MAX_RESULT_BYTES:
        raise ConfigurationError(
            f"the invocation's result has {size:,} bytes, more than {MAX_RESULT_BYTES:,}, and was dropped: "
            "let its actions return less",
            code="result_too_large",
        )
