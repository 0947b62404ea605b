"""Upstream results as typed values: what `$references` and `UNRESOLVED_PARAMETER` stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from engine.errors import ActionStatus, OperatorError
from engine.job.dag import Dag
from engine.state import Action, Dependency
from engine.types import ActionId
from engine.values import decode_value


@dataclass(frozen=True, slots=True)
class Bindings:
    """The values a script gets from other actions: by action id, and by parameter name."""

    references: Mapping[str, Any]
    parameters: Mapping[str, Any]


NO_BINDINGS: Final = Bindings(MappingProxyType({}), MappingProxyType({}))


def bind(action: Action, references: frozenset[ActionId], dag: Dag) -> Bindings:
    """Return the upstream values that an action asks for.

    Raises:
        OperatorError: status `action_dependency_error`, when an upstream action ended in an error,
            or when its result has no value at the `result_path`.
    """
    named = [dependency for dependency in action.dependencies if dependency.parameter is not None]
    if not references and not named:
        return NO_BINDINGS
    return Bindings(
        references={action_id: _value(dag[action_id]) for action_id in references},
        parameters={str(edge.parameter): _walk(edge, _value(dag[edge.action_id])) for edge in named},
    )


def _value(upstream: Action) -> Any:
    if upstream.failed:
        raise OperatorError(
            ActionStatus.ACTION_DEPENDENCY_ERROR,
            f"the action '{upstream.id}' that this one needs ended with {upstream.error_status}:"
            f" {upstream.error_message}",
        )
    return decode_value(upstream.result)


def _walk(edge: Dependency, value: Any) -> Any:
    for step in edge.result_path:
        value = _step(edge, value, step)
    return value


def _step(edge: Dependency, value: Any, step: str) -> Any:
    if isinstance(value, Mapping) and step in value:
        return value[step]
    if isinstance(value, Sequence) and not isinstance(value, str) and _is_index(step, len(value)):
        return value[int(step)]
    raise OperatorError(
        ActionStatus.ACTION_DEPENDENCY_ERROR,
        f"the result of '{edge.action_id}' has no '{step}' (path {'.'.join(edge.result_path)}):"
        f" {_found(value)}",
    )


def _is_index(step: str, length: int) -> bool:
    digits = step.removeprefix("-")
    return digits.isascii() and digits.isdigit() and -length <= int(step) < length


def _found(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"there are the keys {', '.join(map(str, value)) or '(none)'}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"there is a list of {len(value)}"
    return f"there is {value!r}"
