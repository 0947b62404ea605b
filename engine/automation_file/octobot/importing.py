"""A state of OctoBot becomes a state of this engine, with a note on everything that it could not keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.automation_file.octobot.account import is_live, order_ids, read_details, read_elements
from engine.automation_file.octobot.actions import (
    ELEMENTS,
    check_scripts,
    read_actions,
    read_metadata,
    resume,
)
from engine.automation_file.octobot.orders import Ownership
from engine.automation_file.octobot.reading import Note, Notes, Part, shown, without_secrets
from engine.errors import ConfigurationError, StateError
from engine.exchanges import capabilities_of
from engine.state import (
    SCHEMA_VERSION,
    Action,
    ActionsDag,
    Automation,
    AutomationState,
    DegradedState,
    ExchangeAccountDetails,
    Execution,
    ExecutionTrigger,
    Metadata,
    PostActions,
    TriggerReason,
    dump_state,
    load_state,
)
from engine.types import ActionId

_REASONS: Final[Mapping[str, TriggerReason]] = {
    "scheduled": TriggerReason.SCHEDULED,
    "custom_action": TriggerReason.MESSAGE,
    "configuration_update": TriggerReason.MESSAGE,
    "signal": TriggerReason.SIGNAL,
}

_TRIGGER: Final[Mapping[str, str | None]] = {
    "strategy_executed_at": None,
    "strategy_execution_time": None,
    "additional_actions": "what OctoBot was to do besides its actions: not kept",
    "custom_action_ids": "actions that were to be fetched: not kept; send them with `octoflow exec`",
    "signal_ids": "signals that were to be fetched: not kept",
}

_EXECUTION: Final[Mapping[str, str | None]] = {
    "copy_details": "how long a copy waits for the orders of its leader: not kept",
}

_POST_ACTIONS: Final[Mapping[str, str | None]] = dict.fromkeys(
    (
        "postpone_execution",
        "postpone_reason",
        "raisable_error",
        "trigger_global_view_refresh",
        "trigger_global_view_refresh_args",
        "next_iteration_details",
    ),
    "what OctoBot was to do after its last run: not kept",
)

_AUTOMATION: Final[Mapping[str, str | None]] = {
    "reference_exchange_account_elements": "the ideal account of a strategy: not kept",
    "extra_accounts": "accounts besides the exchange's, such as wallets: not kept",
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a state of OctoBot.

    Attributes:
        state: ready to run.
        notes: what was not kept as it was.
    """

    state: AutomationState
    notes: tuple[Note, ...]


def import_octobot(raw: Mapping[str, Any], *, credentials: str | None = None) -> Imported:
    """Read a state that OctoBot wrote.

    Keys are never taken over: an account that had some stays a live one, whose keys are found by a reference.

    Args:
        raw: the state's JSON, or the description of a job that holds it under `state`.
        credentials: where the keys of a live account are found, such as `env:BINANCE`.

    Raises:
        StateError: this is no state of OctoBot.
        ConfigurationError: `credentials` is no reference.
    """
    if credentials is not None and not all(credentials.partition(":")):
        raise ConfigurationError(f"{shown(credentials)} is no reference to keys; one is `env:BINANCE`")
    notes = Notes()
    root = _root(raw, notes)
    automation = root.part("automation")
    details = _details(root, credentials)
    parts = list(automation.part("actions_dag").parts("actions"))
    actions = _actions(parts, credentials)
    execution = _execution(automation.part("execution"), actions)
    elements = _elements(automation)
    owner = Ownership(
        is_live=details is not None and not details.is_simulated,
        capabilities=capabilities_of((details and details.exchange_details.internal_name) or ""),
        actions={known: one.id for one in actions for known in order_ids(one.result)},
        otherwise=next((one.id for one in actions if one.dsl_script), ActionId("octobot")),
    )
    previous, current = execution.previous_execution, execution.current_execution
    looked_at = max(previous.triggered_at, current.triggered_at)
    post = automation.part("post_actions")
    priority = list(root.parts("priority_actions"))
    state = AutomationState(
        schema_version=SCHEMA_VERSION,
        automation=Automation(
            metadata=Metadata(**read_metadata(automation.part("metadata"))),
            actions_dag=ActionsDag(actions=actions),
            exchange_account_elements=read_elements(elements, owner, looked_at) if elements else None,
            execution=execution,
            post_actions=PostActions(stop_automation=post.flag("stop_automation")),
        ),
        exchange_account_details=details,
        priority_actions=_actions(priority, credentials),
    )
    post.leave(_POST_ACTIONS)
    automation.leave(_AUTOMATION)
    root.leave({})
    _say_what_is_missing(state, automation)
    return Imported(load_state(dump_state(state)), tuple(notes.taken))


def _root(raw: Any, notes: Notes) -> Part:
    """Return the state itself, without its secrets."""
    if not isinstance(raw, Mapping):
        raise StateError(f"a state of OctoBot is a JSON object, not {type(raw).__name__}")
    if "schema_version" in raw:
        raise StateError("this is a state of Octoflow already: it has a schema_version")
    inner = raw.get("state")
    wrapped = "automation" not in raw and isinstance(inner, Mapping) and "automation" in inner
    if not wrapped and not isinstance(raw.get("automation"), Mapping):
        raise StateError("this is no state of OctoBot: it has no `automation`")
    whole = Part(without_secrets(raw, notes), "", notes)
    if not wrapped:
        return whole
    state = whole.part("state")
    whole.leave(
        {"auth_details": "who was logged in: not kept", "params": "what the job was made of: not kept"}
    )
    return state


def _details(root: Part, credentials: str | None) -> ExchangeAccountDetails | None:
    part = root.part("exchange_account_details")
    if not part:
        return None
    details = read_details(part, credentials)
    if not details.has_exchange:
        part.note("exchange_details", "no exchange is named: give `internal_name` its ccxt id")
    if credentials is not None:
        found = f"its keys are looked for at `{credentials}`" if is_live(part) else "it has no keys, on paper"
        part.note("auth_details", found)
    return details


def _actions(parts: list[Part], credentials: str | None) -> list[Action]:
    actions = read_actions(parts, credentials)
    by_id = {action.id: action for action in actions}
    sources: dict[str, Part] = {}
    for part in parts:
        name = part.name("id")
        if name in by_id:
            sources.setdefault(name or "", part)
    for name, part in sources.items():
        resume(part, by_id[ActionId(name)], {str(one.id): one for one in actions})
    check_scripts(sources, {str(one.id): one for one in actions})
    return actions


def _execution(part: Part, actions: list[Action]) -> Execution:
    previous, current = _trigger(part.part("previous_execution")), _trigger(part.part("current_execution"))
    has_run = previous.triggered_at > 0 or any(action.is_completed for action in actions)
    if current.scheduled_to and not any(action.not_before for action in actions):
        part.note(
            "current_execution.scheduled_to", "nothing here waits until then: what is ready runs at once"
        )
    execution = Execution(
        iteration=1 if has_run else 0,
        previous_execution=previous,
        current_execution=current,
        degraded_state=_degraded(part),
    )
    part.leave(_EXECUTION)
    return execution


def _trigger(part: Part) -> ExecutionTrigger:
    name = part.text("trigger_reason")
    if name is not None and name not in _REASONS:
        part.note("trigger_reason", f"{shown(name)} is no reason here: not kept")
    older = part.time("trigger_time")  # the name that the field had first
    trigger = ExecutionTrigger(
        scheduled_to=part.time("scheduled_to") or 0,
        triggered_at=part.time("triggered_at") or older or 0,
        trigger_reason=_REASONS.get(name or ""),
        was_completed=part.flag("was_completed"),
    )
    additional = part.part("additional_actions")
    if additional:
        part.note("additional_actions", _TRIGGER["additional_actions"] or "")
    part.leave(_TRIGGER)
    return trigger


def _degraded(part: Part) -> DegradedState:
    degraded = part.part("degraded_state")
    reason, since = degraded.text("reason"), degraded.time("since")
    degraded.leave({})
    error = part.text("execution_error")
    return DegradedState(since=since or 0, reason=reason, error=error, count=1 if reason or error else 0)


def _elements(automation: Part) -> Part:
    """Return the account elements under the name that this version of OctoBot gave them."""
    found = [part for name in ELEMENTS if (part := automation.part(name))]
    for surplus in found[1:]:
        surplus.note("", "the account elements above count: not kept")
    return found[0] if found else automation.part(ELEMENTS[0])


def _say_what_is_missing(state: AutomationState, automation: Part) -> None:
    configured = any(one.is_configuration and not one.is_completed for one in state.actions)
    if state.automation.metadata.automation_id is None and not configured:
        automation.note("metadata.automation_id", "the automation has no id: give it one before it runs")
