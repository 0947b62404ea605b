"""When an automation is invoked next and what it is until then, also when an invocation ended early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.errors import OctoflowError, PostponedError, RetryableError
from engine.job.effects import held_actions
from engine.job.outcome import InvocationStatus
from engine.live import Delays, PostponeReason
from engine.state import Action, DegradedState, Intent
from engine.types import ActionId, Seconds, Timestamp

LACKS: Final = frozenset[PostponeReason]({"not_enough_funds", "below_minimum"})
"""Reasons that only keep an action from its work: the account answers, and its orders need care as ever."""

SOON: Final[Seconds] = 10
"""When an invocation that failed after effects is made up for."""


@dataclass(frozen=True, slots=True)
class Setback:
    """Why an invocation ended early, and when the automation goes on.

    Attributes:
        reason: stable word.
        message: for people, without secrets.
        due_at: UNIX seconds of market time.
        postpones: whether it cannot pass within minutes.
    """

    reason: str
    message: str
    due_at: Timestamp
    postpones: bool

    @property
    def leaves_account_usable(self) -> bool:
        """Whether effects and open orders can be cared for meanwhile."""
        return self.postpones and self.reason in LACKS

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """What is still to come behind an invocation. Times are UNIX seconds.

    Attributes:
        now: of the invocation.
        priority: priority actions that are pending and wait for no other action.
        actions: the same of the DAG.
        paused: whether priority actions alone are run, so that theirs is the time that counts.
        pending: the effects that are planned or under way.
        has_planned: whether there are effects to send that this invocation has planned.
        effects_at: when to come again for the others; None for no particular time.
        watch_at: when to look at open orders that the exchange cannot take care of by itself.
        setback: what ended the invocation early.
        ends: whether nothing is to run any more.
        has_ended: whether nothing is left to be settled either.
        is_over: whether a recorded market has nothing more for the automation.
    """

    now: Timestamp
    priority: Sequence[Action]
    actions: Sequence[Action]
    paused: bool
    pending: Sequence[Intent]
    has_planned: bool
    effects_at: Timestamp | None
    watch_at: Timestamp | None
    setback: Setback | None
    ends: bool
    has_ended: bool
    is_over: bool = False

    @property
    def next_due_at(self) -> Timestamp | None:
        """When the next invocation is due; None when only a message can change anything."""
        if self.setback is not None:
            cared_for = [self.effects_at, self.watch_at] if self.setback.leaves_account_usable else []
            return self._earliest([self.setback.due_at, *cared_for])
        if self.ends:
            return None if self.has_ended else self._earliest([self.effects_at or self.now])
        if self.is_over:
            return None
        runnable = self._runnable(self._to_run)
        instants = [action.not_before or 0 for action in runnable]
        return self._earliest([*instants, self.effects_at, self.watch_at])

    @property
    def priority_due(self) -> bool:
        """Whether it is priority actions that are due then."""
        instants = [action.not_before or 0 for action in self._runnable(self.priority)]
        due_at = self.next_due_at
        return due_at is not None and bool(instants) and max(self.now, min(instants)) <= due_at

    @property
    def status(self) -> InvocationStatus:
        """What the automation is until then."""
        if self.setback is not None:
            return InvocationStatus.POSTPONED if self.setback.postpones else InvocationStatus.RUNNING
        if self.ends:
            return InvocationStatus.STOPPED if self.has_ended else InvocationStatus.RUNNING
        if self.is_over:
            return InvocationStatus.FINISHED
        if self._awaits_approval_only:
            return InvocationStatus.AWAITING_APPROVAL
        if self.next_due_at is None and not self.pending:
            return InvocationStatus.FINISHED
        return InvocationStatus.RUNNING

    @property
    def only_watches(self) -> bool:
        """Whether nothing is left to run, and open orders still need care."""
        return self.watch_at is not None and not (self.ends or self.priority or self.actions or self.pending)

    @property
    def _awaits_approval_only(self) -> bool:
        if self._runnable(self._to_run) or self.has_planned or self.watch_at is not None:
            return False
        statuses = {intent.status for intent in self.pending}
        return "awaiting_approval" in statuses and statuses <= {"awaiting_approval", "unresolved"}

    @property
    def _to_run(self) -> Sequence[Action]:
        if self.paused and self.priority:
            return self.priority
        return [*self.priority, *self.actions]

    def _runnable(self, actions: Sequence[Action]) -> list[Action]:
        held: frozenset[ActionId] = held_actions(self.pending)
        return [action for action in actions if action.id not in held]

    def _earliest(self, instants: Sequence[Timestamp | None]) -> Timestamp | None:
        known = [at for at in instants if at is not None]
        if self.has_planned:
            return self.now
        return max(self.now, min(known)) if known else None


def postponement(
    error: PostponedError,
    so_far: DegradedState,
    delays: Mapping[PostponeReason, Delays],
    now: Timestamp,
) -> Setback:
    """Return the postponement that an error asks for, longer each time it happens in a row."""
    by_name: Mapping[str, Delays] = {str(reason): each for reason, each in delays.items()}
    delay = by_name.get(error.reason, delays["maintenance"]).after(_count(so_far, error.reason))
    return Setback(error.reason, error.message, now + delay, postpones=True)


def interruption(error: BaseException, now: Timestamp) -> Setback:
    """Return what an error means once effects were sent, so that the state must not be lost any more.

    Of an error that is not the engine's own only the kind is told: its text may hold anything.
    """
    if isinstance(error, OctoflowError):
        wait = error.retry_after if isinstance(error, RetryableError) else None
        return Setback(error.code, error.message, now + (SOON if wait is None else wait), postpones=False)
    return Setback("interrupted", f"{type(error).__name__} after effects", now + SOON, postpones=False)


def degraded_by(setback: Setback | None, so_far: DegradedState, now: Timestamp) -> DegradedState:
    """Return the degraded state behind an invocation: since the first of several setbacks, counted by reason.

    One without a setback clears it, with all that was said about the setbacks.
    """
    if setback is None:
        return DegradedState().carrying(None if so_far.count else so_far)
    degraded = DegradedState(
        since=so_far.since if so_far.count else now,
        reason=setback.reason,
        error=setback.message,
        count=_count(so_far, setback.reason) + 1,
    )
    return degraded.carrying(so_far)


def _count(so_far: DegradedState, reason: str) -> int:
    return so_far.count if so_far.reason == reason else 0
