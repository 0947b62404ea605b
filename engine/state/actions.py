"""The actions of an automation: the nodes of its DAG and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from pydantic import Field, model_validator

from engine.errors import ActionStatus
from engine.state.base import StateModel
from engine.timing import Delay, Moment
from engine.types import ActionId
from engine.values import JsonValue

APPLY_CONFIGURATION = "apply_configuration"
"""The one configured step: its `config` is a partial state."""

DEFINITION: Final = frozenset(
    {"id", "dsl_script", "action", "config", "dependencies", "reset_target_action_id", "reset_after"}
)
"""The fields of an action that a person writes; the others are what became of it."""


class Dependency(StateModel):
    """An edge of the DAG: this action comes after `action_id`.

    With `parameter`, the value at `result_path` of the upstream result replaces
    `UNRESOLVED_PARAMETER` under that name; without, the edge only orders.
    """

    action_id: ActionId
    parameter: str | None = None
    result_path: list[str] = Field(default_factory=list)


_WRITTEN: Final[Mapping[str, Any]] = {
    **dict.fromkeys(DEFINITION, True),
    "dependencies": {"__all__": set(Dependency.model_fields)},
}
"""The definition without what a newer release added to it, which nobody wrote."""


class Action(StateModel):
    """One node of the DAG: a DSL script or a configured step, and its outcome so far.

    `executed_at` set means completed, also when it ended in an error. Values in `result`,
    `previous_execution_result` and `suspension` are in the typed JSON form of `engine.values`.
    Times are UNIX seconds.
    """

    id: ActionId
    dsl_script: str | None = None
    action: str | None = None
    config: dict[str, Any] | None = None
    dependencies: list[Dependency] = Field(default_factory=list)
    result: JsonValue = None
    error_status: str | None = None
    error_message: str | None = None
    executed_at: Moment | None = None
    not_before: Moment | None = None
    suspension: dict[str, Any] | None = None
    reset_target_action_id: ActionId | None = None
    reset_after: Delay = 0
    previous_execution_result: JsonValue = None

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.dsl_script is None) == (self.action is None):
            found = "both" if self.action is not None else "neither"
            raise ValueError(f"action '{self.id}' needs either dsl_script or action, and has {found}")
        return self

    @property
    def is_completed(self) -> bool:
        """Whether the action has run to its end, error included."""
        return self.executed_at is not None

    @property
    def failed(self) -> bool:
        """Whether the action ended in an error."""
        return self.error_status is not None

    @property
    def is_configuration(self) -> bool:
        """Whether this is the bootstrap step, which no reset touches once it completed."""
        return self.action == APPLY_CONFIGURATION

    def complete(self, result: JsonValue, now: float) -> None:
        """Store a result in its typed JSON form."""
        self.result = result
        self._end(now)

    def fail(self, status: ActionStatus, message: str, now: float) -> None:
        """Store an error; the action counts as completed."""
        self.result = None
        self.error_status, self.error_message = status.value, message
        self._end(now)

    def wait(self, suspension: dict[str, Any], not_before: float) -> None:
        """Keep where the script stands, to be called again at `not_before`."""
        self.suspension, self.not_before = suspension, not_before

    @property
    def planned_effects(self) -> Sequence[str]:
        """Keys of what the suspended call has planned; it gets the outcomes when it is called again."""
        keys: Sequence[str] = self._recalled().get("intents", ())
        return keys

    @property
    def effect_outcomes(self) -> Mapping[str, Mapping[str, Any]]:
        """What became of them so far, by key, in the JSON form of `engine.effects.intents`."""
        outcomes: Mapping[str, Mapping[str, Any]] = self._recalled().get("outcomes", {})
        return outcomes

    def hand_over(self, key: str, outcome: Mapping[str, Any]) -> None:
        """Keep what became of an effect that the suspended call has planned."""
        self._recalled().setdefault("outcomes", {})[key] = dict(outcome)

    def reset(self) -> None:
        """Forget the outcome, so that the action runs again; its result becomes the previous one."""
        if self.is_completed and self.result is not None:
            self.previous_execution_result = self.result
        self.result = self.error_status = self.error_message = None
        self.executed_at = self.suspension = self.not_before = None

    def definition(self) -> dict[str, Any]:
        """Return the JSON form of what a person wrote."""
        return self.model_dump(mode="json", exclude_defaults=True, include=_WRITTEN)

    def redefine(self, new: Action) -> None:
        """Take another definition over, and keep what became of the action so far.

        A new script begins at its start, and at once: where the old one stood means nothing to it.
        """
        if self._work != new._work and self.suspension is not None:
            self.suspension = self.not_before = None
        present = {(edge.action_id, edge.parameter): edge for edge in self.dependencies}
        for name in DEFINITION:
            setattr(self, name, getattr(new, name))
        self.dependencies = [
            edge.carrying(present.get((edge.action_id, edge.parameter))) for edge in new.dependencies
        ]

    def _recalled(self) -> dict[str, Any]:
        """Return what the suspended operator gets back."""
        state = (self.suspension or {}).get("operator_state", {})
        recalled: dict[str, Any] = state.get("ReCallingOperatorResult", {}).get("last_execution_result", {})
        return recalled

    @property
    def _work(self) -> tuple[object, ...]:
        return self.dsl_script, self.action, self.config

    def _end(self, now: float) -> None:
        self.executed_at = now
        self.suspension = self.not_before = None


class ActionsDag(StateModel):
    """The actions of the automation, in order of definition."""

    actions: list[Action] = Field(default_factory=list)
