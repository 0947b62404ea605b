"""The effects of an invocation: what earlier ones planned is carried out, and told to the calls that wait."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from engine.effects import Dropped, IntentDraft, Outcome, Refusal, dump_outcome, effect_in_words, load_outcome
from engine.errors import ConfigurationError, PostponedError, RetryableError
from engine.job.account import InvocationAccount
from engine.job.outcome import Journal, PendingEffect
from engine.job.request import InvocationRequest
from engine.live import GuardResult, LiveSettings, Mode, SettledEffect, decide
from engine.state import Action, AutomationState, Intent, IntentStatus
from engine.types import ActionId, CallSite, EffectKey, Timestamp

BYTES_PER_LEG: Final = 16 * 1024
"""Room that an effect and everything that may follow from it needs in the state."""


class InvocationEffects:
    """The pending effects of a state, over one invocation.

    Args:
        settings: how long effects may wait for approval.

    Attributes:
        keeps_state: whether the new state must not be lost any more, because something was sent.
    """

    def __init__(
        self,
        request: InvocationRequest,
        state: AutomationState,
        journal: Journal,
        session: InvocationAccount,
        settings: LiveSettings,
    ) -> None:
        self._request = request
        self._state = state
        self._journal = journal
        self._session = session
        self._approval_lasts = settings.approved_intent_max_age
        self._settled: set[EffectKey] = set()
        self._at_start = {intent.key for intent in self.pending}
        self._account_is_current = False
        self._under_way_at: Timestamp | None = None
        self.keeps_state = False

    @property
    def pending(self) -> Sequence[Intent]:
        """The effects that are planned or under way."""
        return self._state.automation.execution.pending_effects

    @property
    def settled(self) -> Collection[EffectKey]:
        """Keys of the effects that this invocation has settled."""
        return self._settled

    @property
    def has_planned(self) -> bool:
        """Whether there are effects to send that this invocation has planned."""
        return any(one.key not in self._at_start and one.status == "planned" for one in self.pending)

    @property
    def next_at(self) -> Timestamp | None:
        """When to come again for effects under way, UNIX seconds; None for no particular time.

        What nobody approves in time is evaluated anew, so that a person always finds a fresh proposal.
        """
        asked = [one.planned_at for one in self.pending if one.status == "awaiting_approval"]
        instants = [at + self._approval_lasts for at in asked]
        instants += [] if self._under_way_at is None else [self._under_way_at]
        return min(instants, default=None)

    async def carry_out(self, mode: Mode) -> None:
        """Apply what a person decided, then settle what can be settled, and tell the calls that wait for it.

        Raises:
            ConfigurationError: a decision names an effect that is not there.
            RetryableError: the exchange does not answer, or asks to wait.
            PostponedError: the account cannot be used for longer.
        """
        request = self._request
        decided = decide(
            self.pending,
            approved=request.approved,
            rejected=request.rejected,
            resolved=request.resolved,
        )
        if not self.pending:
            return
        self._take_over(decided.settled, decided.pending)
        if not self.pending:
            return
        settlement = await self._session.settle(self.pending, mode, resolved=request.resolved)
        self._take_over(settlement.settled, settlement.pending)
        self.keeps_state = settlement.acted or settlement.retry_after is not None
        self._under_way_at = settlement.next_at
        for note in settlement.notes:
            self._journal.note(note)
        _raise_what_stops(settlement)

    async def look_after_account(self) -> None:
        """Take in what happened to open orders meanwhile, unless this invocation has done so already.

        Raises:
            RetryableError: the exchange does not answer.
            PostponedError: the account cannot be used for longer.
        """
        if not self._account_is_current and (self._session.is_exposed or self._settled):
            await self._session.look_after()
            self.take_follow_ups()

    def take_follow_ups(self) -> bool:
        """Record what follows from fills that happened meanwhile; return whether there is anything new."""
        self._account_is_current = True
        return record(self._state, self._session.take_follow_ups())

    def _take_over(self, settled: Sequence[SettledEffect], pending: Sequence[Intent]) -> None:
        if settled:
            for text in hand_over(settled, [*self._state.priority_actions, *self._state.actions]):
                self._journal.note(text)
        self._settled |= {one.intent.key for one in settled}
        self._state.automation.execution.pending_effects = list(pending)


def _raise_what_stops(settlement: GuardResult) -> None:
    why = settlement.why or "the exchange asks to wait"
    if settlement.postpone is not None:
        raise PostponedError(why, reason=settlement.postpone)
    if settlement.retry_after is not None:
        raise RetryableError(why, retry_after=settlement.retry_after)


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


def hand_over(settled: Iterable[SettledEffect], actions: Iterable[Action]) -> list[str]:
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
