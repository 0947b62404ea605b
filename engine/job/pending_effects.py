"""The effects that a live automation has under way: who waits for them, and who is told their outcome."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.effects import Dropped, IntentDraft, Outcome, Refusal, dump_outcome, effect_in_words, load_outcome
from engine.errors import ConfigurationError
from engine.job.request import PendingEffect
from engine.live import Settled
from engine.state import Action, AutomationState, Intent, IntentStatus
from engine.types import ActionId, CallSite, Timestamp

BYTES_PER_LEG: Final = 16 * 1024
"""Room that an effect and everything that may follow from it needs in the state."""


def key_scope(state: AutomationState, seed: str) -> str:
    """Return what the keys of effects derive from: on a live account the run key, which no two runs share.

    Args:
        state: of the automation.
        seed: what paper ids and randomness derive from.

    Raises:
        ConfigurationError: `missing_run_key`.
    """
    if not state.is_live:
        return seed
    run_key = state.automation.metadata.run_key
    if not run_key:
        raise ConfigurationError(
            "automation.metadata.run_key is missing: on a live account every order derives its identity from"
            " it. Give each run of an automation a key of its own, and keep it for the whole run",
            code="missing_run_key",
        )
    return run_key


def intents_of(
    drafts: Iterable[IntentDraft],
    action: ActionId,
    call_site: CallSite,
    state: AutomationState,
    now: Timestamp,
) -> list[Intent]:
    """Return what a call has planned, as it is recorded before anything of it is sent."""
    asks = state.automation.approval == "required"
    status: IntentStatus = "awaiting_approval" if asks else "planned"
    return [
        Intent(
            key=draft.key,
            action_id=action,
            call_site=call_site,
            leg=draft.leg,
            kind=draft.kind,
            params=dict(draft.params),
            planned_at=now,
            status=status,
        )
        for draft in drafts
    ]


def record(state: AutomationState, intents: Iterable[Intent]) -> bool:
    """Add intents to those that are pending; return whether any of them is new."""
    pending = state.automation.execution.pending_effects
    known = {intent.key for intent in pending}
    new = [intent for intent in intents if intent.key not in known]
    pending += new
    return bool(new)


def held_actions(pending: Iterable[Intent]) -> frozenset[ActionId]:
    """Return the actions that are not run before what they have planned is settled."""
    return frozenset(intent.action_id for intent in pending if not intent.is_follow_up)


def hand_over(settled: Iterable[Settled], actions: Iterable[Action]) -> list[str]:
    """Give outcomes to the suspended calls that planned them; return what is to be told of the others."""
    waiting = {key: action for action in actions for key in action.planned_effects}
    told = []
    for one in settled:
        action = waiting.get(one.intent.key)
        if action is not None and action.id == one.intent.action_id:
            action.hand_over(one.intent.key, dump_outcome(one.outcome))
        elif not one.intent.is_follow_up or not _happened(one.outcome):
            told.append(f"{one.intent.action_id}: {describe(one.intent)}: {_in_words(one.outcome)}")
    return told


def effects_handed_to(action: Action) -> int:
    """Count the effects that were carried out for the suspended call of an action."""
    return sum(_happened(load_outcome(raw)) for raw in action.effect_outcomes.values())


def shown(pending: Iterable[Intent]) -> list[PendingEffect]:
    """Return pending effects as people see them."""
    return [
        PendingEffect(key=one.key, action_id=one.action_id, what=describe(one), status=one.status)
        for one in pending
    ]


def describe(intent: Intent) -> str:
    """Return what an intent does, in a few words."""
    return effect_in_words(intent.kind, intent.params)


def _happened(outcome: Outcome) -> bool:
    return not isinstance(outcome, Refusal | Dropped)


def _in_words(outcome: Outcome) -> str:
    match outcome:
        case Refusal(message=message):
            return message
        case Dropped():
            return "not sent in time, and given up"
        case _:
            return f"{outcome.outcome}, but the action was started anew meanwhile"
