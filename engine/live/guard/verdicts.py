"""Decides what is to be done with one order to create: pure, from its leg, the look-up and the mode.

The table of cases that `verdict_on` implements stands in `engine.live.guard.guard`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, assert_never

from engine.live.guard.result import Mode
from engine.state import Intent


class Leg(Enum):
    """How far an intent got, as the state tells."""

    PLANNED = auto()
    """No recorded attempt sent it, or what was sent is known to have vanished."""
    TRIED = auto()
    """It was sent, and nobody knows what became of it."""
    UNRESOLVED = auto()
    """The same, for so long that a person was told."""
    CONTESTED = auto()
    """Something is or was under its key that is not it: that it is not seen proves nothing."""


class Seen(Enum):
    """What the look-up says about one leg."""

    SAME = auto()
    """The exchange has exactly the order that was meant."""
    OTHER = auto()
    """The exchange has a different order under the key."""
    ABSENT = auto()
    """There is no such order, and none can arrive any more."""
    LANDING = auto()
    """There is no such order yet; one that was sent may still arrive."""
    UNANSWERED = auto()
    """The look-up failed."""
    BLIND = auto()
    """The exchange has no look-up, and an attempt that nobody recorded may have sent it."""


class Verdict(Enum):
    """What is to be done."""

    ADOPT = auto()
    SEND = auto()
    HOLD = auto()
    DROP = auto()
    AWAIT_LANDING = auto()
    ASK_AGAIN = auto()
    GIVE_UP = auto()
    CONTEST = auto()
    STAY = auto()


_WHEN_ABSENT: Final[Mapping[tuple[Mode, bool], Verdict]] = MappingProxyType(
    {
        (Mode.SEND, True): Verdict.SEND,
        (Mode.SEND, False): Verdict.DROP,
        (Mode.LOOK_UP, True): Verdict.HOLD,
        (Mode.LOOK_UP, False): Verdict.DROP,
        (Mode.WIND_DOWN, True): Verdict.DROP,
        (Mode.WIND_DOWN, False): Verdict.DROP,
    }
)


def leg_of(intent: Intent) -> Leg:
    """Return how far an intent got.

    An `unresolved` one without `sent_at` is contested: no fence can ever make its absence final.
    """
    match intent.status:
        case "planned" | "awaiting_approval":
            return Leg.PLANNED
        case "tried":
            return Leg.TRIED
        case "unresolved":
            return Leg.CONTESTED if intent.sent_at is None else Leg.UNRESOLVED
        case _:
            assert_never(intent.status)


def verdict_on(leg: Leg, seen: Seen, mode: Mode, *, young: bool) -> Verdict:
    """Return what is to be done with an order to create.

    Args:
        leg: how far it got.
        seen: what the look-up says.
        mode: what the guard may do.
        young: whether it may still be sent at its age.
    """
    match leg, seen:
        case _, Seen.SAME:
            return Verdict.ADOPT
        case _, Seen.OTHER:
            return Verdict.CONTEST
        case Leg.CONTESTED, _:
            return Verdict.STAY
        case _, Seen.ABSENT:
            return _WHEN_ABSENT[mode, young]
        case _, Seen.LANDING:
            return Verdict.AWAIT_LANDING
        case Leg.UNRESOLVED, _:
            return Verdict.STAY
        case _, Seen.UNANSWERED:
            return Verdict.ASK_AGAIN
        case _:
            return Verdict.GIVE_UP
