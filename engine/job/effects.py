"""One invocation's round of effects: what earlier ones planned is carried out and told to its calls."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from engine.errors import PostponedError, RetryableError
from engine.job.account import ExchangeSession
from engine.job.pending_effects import hand_over, record
from engine.job.request import InvocationRequest, Journal
from engine.live import LiveSettings, Mode, Settled, Settlement, decide
from engine.state import AutomationState, Intent
from engine.types import EffectKey, Timestamp


class EffectRound:
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
        session: ExchangeSession,
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

    def _take_over(self, settled: Sequence[Settled], pending: Sequence[Intent]) -> None:
        if settled:
            for text in hand_over(settled, [*self._state.priority_actions, *self._state.actions]):
                self._journal.note(text)
        self._settled |= {one.intent.key for one in settled}
        self._state.automation.execution.pending_effects = list(pending)


def _raise_what_stops(settlement: Settlement) -> None:
    why = settlement.why or "the exchange asks to wait"
    if settlement.postpone is not None:
        raise PostponedError(why, reason=settlement.postpone)
    if settlement.retry_after is not None:
        raise RetryableError(why, retry_after=settlement.retry_after)
