"""Tells a state that OctoBot wrote from one of this engine: most of their names are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

_EACH: Final = "*"
"""Stands for every item of a list."""

_ELEMENTS: Final = ("automation", "exchange_account_elements")
_ACTIONS: Final = ("automation", "actions_dag", "actions", _EACH)
_EXECUTION: Final = ("automation", "execution")

_MARKS: Final[Sequence[tuple[str, ...]]] = (
    ("automation", "client_exchange_account_elements"),
    ("automation", "reference_exchange_account_elements"),
    (*_ELEMENTS, "orders", "open_orders", _EACH, "origin_value"),
    (*_ELEMENTS, "orders", "missing_orders", _EACH, "origin_value"),
    (*_ELEMENTS, "positions", _EACH, "position"),
    (*_ACTIONS, "resolved_dsl_script"),
    (*_ACTIONS, "previous_execution_result", "ReCallingOperatorResult"),
    (*_ACTIONS, "config", "automation", "client_exchange_account_elements"),
    (*_ACTIONS, "config", "automation", "exchange_account_elements"),
    (*_EXECUTION, "copy_details"),
    (*_EXECUTION, "current_execution", "additional_actions"),
    (*_EXECUTION, "previous_execution", "additional_actions"),
    ("exchange_account_details", "auth_details", "broker_enabled"),
)
"""Fields that only OctoBot writes, and that would be lost, or misunderstood, without a word."""

_REASONS: Final = frozenset({"custom_action", "configuration_update"})
"""Why it runs, in words that only OctoBot uses."""


def is_octobots(raw: Mapping[str, Any]) -> bool:
    """Whether a state is OctoBot's: it has no `schema_version`, and something that only OctoBot writes."""
    if "schema_version" in raw:
        return False
    return any(_has(raw, mark) for mark in _MARKS) or any(
        _value(raw, (*_EXECUTION, execution, "trigger_reason")) in _REASONS
        for execution in ("current_execution", "previous_execution")
    )


def _has(value: Any, path: Sequence[str]) -> bool:
    for depth, name in enumerate(path):
        if name == _EACH:
            return isinstance(value, list) and any(_has(item, path[depth + 1 :]) for item in value)
        if not isinstance(value, Mapping) or name not in value:
            return False
        value = value[name]
    return True


def _value(value: Any, path: Sequence[str]) -> str | None:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else None
