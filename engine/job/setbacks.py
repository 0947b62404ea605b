"""What ends an invocation early without costing its state: postponements, and failures after effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.errors import OctoflowError, PostponedError, RetryableError
from engine.live import Delays, PostponeReason
from engine.state import DegradedState
from engine.types import Seconds, Timestamp

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
