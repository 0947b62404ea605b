"""Bounds on what travels through Temporal: checked before an invocation, and kept to behind it."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from engine.errors import ActionStatus, ConfigurationError
from engine.job import MAX_STATE_BYTES
from engine.state import AutomationState
from engine.types import ActionId, Timestamp


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


def fit_state(state: AutomationState, size: int, now: Timestamp) -> list[ActionId]:
    """Make a new state fit, by giving up results: an invocation that acted must not fail for its size.

    Temporal refuses payloads of 2 MB, and would have the activity retried.
    The largest results go first. Their actions end with the error `limit_exceeded`, which tells their
    dependents and a person what happened.

    Args:
        state: changed in place.
        size: of its JSON form, in bytes.
        now: market time of the invocation whose results can be given up, UNIX seconds.

    Returns:
        The ids of the actions that lost their results.
    """
    excess = size - MAX_STATE_BYTES
    if excess <= 0:
        return []
    recent = [
        action for action in state.all_actions if action.executed_at == now and action.result is not None
    ]
    sized = [(encoded_size(action.result), action) for action in recent]
    given_up = []
    for bytes_of_it, action in sorted(sized, key=lambda one: one[0], reverse=True):
        if excess <= 0:
            break
        why = f"its result of {bytes_of_it:,} bytes does not fit the state beside the others"
        action.fail(ActionStatus.LIMIT_EXCEEDED, why, now)
        given_up.append(action.id)
        excess -= bytes_of_it
    return given_up
