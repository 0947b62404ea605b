"""What one round of the effect guard does with pending intents, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from engine.effects import Outcome
from engine.live.settings import PostponeReason
from engine.state import Intent
from engine.types import Seconds, Timestamp


class Mode(Enum):
    """What the guard may do."""

    SEND = auto()
    """Look up, and send what is absent and young enough."""
    LOOK_UP = auto()
    """Look up what was tried; hold everything else. For paused automations."""
    WIND_DOWN = auto()
    """Look everything up and drop what is absent, but send cancellations. For automations that stop."""


@dataclass(frozen=True, slots=True)
class SettledEffect:
    """An intent that is over, and what became of it."""

    intent: Intent
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardResult:
    """What a round of the guard came to.

    Attributes:
        settled: intents whose outcome is certain, in the order they were given.
        pending: the others, as they are now, in the order they were given.
        next_at: when to come again for the pending ones, in the invocation's time; None when only a person,
            or another effect, can change something.
        acted: whether any effect was sent, so that the state must not be lost any more.
        notes: what a person should know.
        retry_after: seconds that the exchange asks to wait before any request.
        postpone: set when the account cannot be used for longer; `why` tells more.
    """

    settled: Sequence[SettledEffect] = ()
    pending: Sequence[Intent] = ()
    next_at: Timestamp | None = None
    acted: bool = False
    notes: Sequence[str] = ()
    retry_after: Seconds | None = None
    postpone: PostponeReason | None = None
    why: str | None = None
