"""Edits of a running automation: its actions are changed, what became of them so far is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from engine.dsl import CompiledScript, Defaults, compile_script
from engine.errors import ConfigurationError, DagError, DslError
from engine.job.dag import Dag, Edges
from engine.job.services import Services
from engine.state import DEFINITION, Action, AutomationState, describe
from engine.types import ActionId

_MISSING: Final = "missing"
"""Stands in for a default that the automation does not have, to find the scripts that use it."""


class EditError(ConfigurationError):
    """An edit cannot be made; nothing was changed.

    Attributes:
        problems: everything that is wrong with it, a text each.
    """

    code = "invalid_edit"

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class ActionChanges:
    """What an edit does, as ids of actions.

    Attributes:
        added: new ones.
        changed: those with another definition than before.
        removed: those that are gone.
        restarted: those that will run again from their start.
        kept: changed ones that have run already, and keep their result.
    """

    added: list[ActionId]
    changed: list[ActionId]
    removed: list[ActionId]
    restarted: list[ActionId]
    kept: list[ActionId]

    @classmethod
    def between(cls, before: AutomationState, after: AutomationState) -> ActionChanges:
        """Compare a state with what an edit made of it."""
        old = {action.id: action for action in before.actions}
        new = {action.id: action for action in after.actions}
        both = [(old[action_id], new[action_id]) for action_id in new if action_id in old]
        changed = {now.id: now for was, now in both if was.definition() != now.definition()}
        return cls(
            added=[action_id for action_id in new if action_id not in old],
            changed=list(changed),
            removed=[action_id for action_id in old if action_id not in new],
            restarted=[now.id for was, now in both if _begins_anew(was, now, redefined=now.id in changed)],
            kept=[action_id for action_id, action in changed.items() if action.is_completed],
        )

    @property
    def touched(self) -> set[ActionId]:
        """All actions that existed before and are not as they were."""
        return {*self.changed, *self.removed, *self.restarted}


def _begins_anew(was: Action, now: Action, *, redefined: bool) -> bool:
    if was.is_completed:
        return not now.is_completed
    return was.suspension is not None and now.suspension is None and not redefined


def apply_edit(
    state: AutomationState,
    upsert: Sequence[Mapping[str, Any]] = (),
    remove: Sequence[str] = (),
    *,
    restart: Sequence[str] = (),
    services: Services | None = None,
) -> AutomationState:
    """Return the state with other actions; the one that is given is not changed.

    New actions are appended. An action that exists gets the new definition: one that has run keeps its
    result and stays completed, one that waits in the middle of a script that changed begins anew. An action
    whose definition is the same as before is left alone.

    Args:
        state: of the automation, between two invocations.
        upsert: definitions of actions in their JSON form, without anything that a run would set.
        remove: ids of the actions to remove.
        restart: ids of actions that shall run again, together with all that depend on them.
        services: the operators that scripts may call, and the bounds of scripts.

    Raises:
        EditError: with everything that is wrong.
    """
    problems: list[str] = []
    defined = _definitions(upsert, problems)
    edited = state.model_copy(deep=True)
    problems += _wrong_ids(edited, defined, remove, restart)
    _lay_over(edited, defined, set(remove))
    scripts = _Scripts(edited, services or Services())
    problems += scripts.problems_of(defined)
    dangling = list(_dangling(edited, scripts.references, set(remove)))
    problems += dangling
    if not dangling:
        problems += _restart(edited, scripts.references, restart)
    problems += _under_way(state, ActionChanges.between(state, edited).touched)
    if problems:
        raise EditError(problems)
    return edited


def _definitions(upsert: Sequence[Mapping[str, Any]], problems: list[str]) -> dict[ActionId, Action]:
    """Return the actions by id, as far as they have the right form."""
    defined: dict[ActionId, Action] = {}
    for number, raw in enumerate(upsert, 1):
        name = f"action '{raw['id']}'" if raw.get("id") else f"upsert, entry {number}"
        if unknown := sorted(raw.keys() - DEFINITION):
            known = ", ".join(sorted(DEFINITION))
            problems.append(f"{name}: an edit cannot set {', '.join(unknown)}; it sets {known}")
            continue
        try:
            action = Action.model_validate(raw).without_unknown()
        except ValidationError as error:
            problems.append(f"{name}: {describe(error).removeprefix('state: ')}")
            continue
        if action.id in defined:
            problems.append(f"{name} is defined twice in this edit")
        defined[action.id] = action
    return defined


def _wrong_ids(
    state: AutomationState, defined: Mapping[ActionId, Action], remove: Sequence[str], restart: Sequence[str]
) -> Iterator[str]:
    present = {action.id for action in state.actions}
    for action_id in dict.fromkeys(map(ActionId, remove)):
        if action_id in defined:
            yield f"action '{action_id}' is both defined and removed by this edit"
        elif action_id not in present:
            yield f"there is no action '{action_id}' to remove"
    for action_id in dict.fromkeys(map(ActionId, restart)):
        if action_id not in (present | defined.keys()) - set(remove):
            yield f"there is no action '{action_id}' to restart"
    if not (present | defined.keys()) - set(remove):
        yield "an automation needs at least one action; to end it, stop it"


def _lay_over(state: AutomationState, defined: Mapping[ActionId, Action], removed: set[str]) -> None:
    present = {action.id: action for action in state.actions if action.id not in removed}
    for action_id, definition in defined.items():
        if action_id in present:
            present[action_id].redefine(definition)
        else:
            present[action_id] = definition
    state.automation.actions_dag.actions = list(present.values())
    state.priority_actions = [  # those that ended are history, which holds nobody back
        action
        for action in state.priority_actions
        if not (action.is_completed and any(edge.action_id in removed for edge in action.dependencies))
    ]


class _Scripts:
    """The compiled scripts of all actions, finished ones too; a broken one is a problem of its own."""

    def __init__(self, state: AutomationState, services: Services) -> None:
        self._state = state
        self._compiled: dict[ActionId, CompiledScript | DslError] = {}
        for action in (*state.actions, *_pending_priority(state)):
            if action.dsl_script is not None:
                self._compiled[action.id] = _compiled(action.dsl_script, services)

    @property
    def references(self) -> Edges:
        """For each action the ids of those whose results its script uses."""
        return {
            action_id: frozenset(map(ActionId, script.references))
            for action_id, script in self._compiled.items()
            if not isinstance(script, DslError)
        }

    def problems_of(self, defined: Mapping[ActionId, Action]) -> Iterator[str]:
        """Yield what is wrong with the scripts of an edit."""
        for action_id, action in defined.items():
            script = self._compiled.get(action_id)
            if isinstance(script, DslError):
                yield f"action '{action_id}': {script}"
            elif script is not None:
                for problem in self._needs(action, script):
                    yield f"action '{action_id}': {problem}"

    def _needs(self, action: Action, script: CompiledScript) -> Iterator[str]:
        bound = {edge.parameter for edge in action.dependencies}
        if unbound := sorted(script.parameters - bound):
            yield f"no dependency binds the parameter {', '.join(unbound)} of UNRESOLVED_PARAMETER"
        if any(one.is_configuration and not one.is_completed for one in self._state.actions):
            return  # the configuration may bring the exchange
        if script.needs_exchange and not self._state.has_exchange:
            yield "the script needs an exchange, and the automation has none"
        else:
            yield from self._misses(script)

    def _misses(self, script: CompiledScript) -> Iterator[str]:
        own = self._state.automation.defaults
        try:
            found = script.dependencies(Defaults(own.symbol or _MISSING, own.time_frame or _MISSING))
        except DslError as error:
            if not (script.references or script.parameters):  # with these, only the run can tell
                yield str(error)
            return
        if any(one.symbol == _MISSING for one in found):
            yield "the script names no symbol, and neither does the automation"
        if any(one.time_frame == _MISSING for one in found):
            yield "the script names no time frame, and neither does the automation"


def _compiled(text: str, services: Services) -> CompiledScript | DslError:
    try:
        return compile_script(text, services.registry, services.settings.limits)
    except DslError as error:
        return error


def _pending_priority(state: AutomationState) -> list[Action]:
    return [action for action in state.priority_actions if not action.is_completed]


def _dangling(state: AutomationState, references: Edges, removed: set[str]) -> Iterator[str]:
    """Yield each mention of an action that is not, or no longer, there."""
    known = {action.id for action in state.actions}
    asked = {action.id for action in state.priority_actions}
    for action in (*state.actions, *_pending_priority(state)):
        needed = {edge.action_id for edge in action.dependencies} | references.get(action.id, frozenset())
        if action.reset_target_action_id is not None:
            needed.add(action.reset_target_action_id)
        for upstream in sorted(needed - known - (asked if action.id in asked else set())):
            if upstream in removed:
                yield f"action '{upstream}' cannot be removed: '{action.id}' needs it"
            else:
                yield f"action '{action.id}' names '{upstream}', which does not exist"


def _restart(state: AutomationState, references: Edges, restart: Sequence[str]) -> Iterator[str]:
    try:
        dag = Dag(state.actions, references)
    except DagError as error:
        yield error.message
        return
    for action_id in map(ActionId, restart):
        if action_id in dag:
            dag.reset(action_id)


def _under_way(state: AutomationState, touched: set[ActionId]) -> Iterator[str]:
    """Yield the touched actions that have effects under way, or whose scripts do not know of theirs yet.

    What follows from orders, such as their exits, belongs to no script: it goes on without the action.
    """
    intents = state.automation.execution.pending_effects
    pending = Counter(intent.action_id for intent in intents if not intent.is_follow_up)
    untold = {action.id for action in state.actions if action.planned_effects} - pending.keys()
    for action_id, count in pending.items():
        if action_id in touched:
            yield (
                f"action '{action_id}' has {count} effect{'' if count == 1 else 's'} under way:"
                " edit it when they are settled on the exchange"
            )
    for action_id in sorted(untold & touched):
        yield f"action '{action_id}' has done what its script does not know of yet: let it run first"
