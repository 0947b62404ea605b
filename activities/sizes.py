"""Bounds on what travels through Temporal: checked before an invocation, and kept to behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic_core import to_json

from engine.errors import ActionStatus, ConfigurationError
from engine.job import MAX_STATE_BYTES


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


def fit_state(state: dict[str, Any], now: float) -> list[str]:
    """Make a new state fit, by giving up results: an invocation that acted must not fail for its size.

    Temporal refuses payloads of 2 MB, and would have the activity retried.
    The largest results go first. Their actions end with the error `limit_exceeded`, which tells their
    dependents and a person what happened.

    Args:
        state: in its JSON form; changed in place.
        now: market time of the invocation whose results can be given up.

    Returns:
        The ids of the actions that lost their results.
    """
    excess = encoded_size(state) - MAX_STATE_BYTES
    if excess <= 0:
        return []
    sized = [(encoded_size(action["result"]), action) for action in _with_results_of(state, now)]
    given_up = []
    for size, action in sorted(sized, key=lambda one: one[0], reverse=True):
        if excess <= 0:
            break
        del action["result"]
        action["error_status"] = ActionStatus.LIMIT_EXCEEDED.value
        action["error_message"] = f"its result of {size:,} bytes does not fit the state beside the others"
        given_up.append(action["id"])
        excess -= size
    return given_up


def _with_results_of(state: dict[str, Any], now: float) -> Iterator[dict[str, Any]]:
    actions = state["automation"].get("actions_dag", {}).get("actions", ())
    for action in (*actions, *state.get("priority_actions", ())):
        if "result" in action and action.get("executed_at") == now:
            yield action
