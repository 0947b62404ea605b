"""How careful live trading is: times and bounds of the effect guard, of catch-up and of postponements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType
from typing import Final, Literal

from engine.types import Seconds

PostponeReason = Literal["authentication", "not_enough_funds", "below_minimum", "maintenance"]


@dataclass(frozen=True, slots=True)
class Delays:
    """How long a postponement lasts: the first one, doubled for each further one, up to the longest."""

    first: Seconds
    longest: Seconds

    def after(self, count: int) -> Seconds:
        """Return the delay behind `count` postponements in a row; the first one has count 0."""
        return min(self.first * 2.0 ** min(count, 30), self.longest)


_HOUR: Final[Seconds] = 3_600

POSTPONEMENTS: Final[Mapping[PostponeReason, Delays]] = MappingProxyType(
    {
        "authentication": Delays(_HOUR / 2, 6 * _HOUR),
        "not_enough_funds": Delays(_HOUR, 6 * _HOUR),
        "below_minimum": Delays(_HOUR, 6 * _HOUR),
        "maintenance": Delays(_HOUR / 12, 6 * _HOUR),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """Times in seconds.

    Attributes:
        receive_window: how long after its timestamp a signed request can still be accepted.
        fence_margin: added to it before a look-up that finds nothing is believed.
        fence_without_expiry: the same for exchanges whose signatures do not expire.
        zombie_margin: how long before another process may take over the last request is signed, besides
            the receive window.
        intent_max_age: how old a planned effect may be when it is sent.
        approved_intent_max_age: the same where a person approves effects.
        unresolved_after: how long after its last sending an effect that no look-up settles needs a person.
        recheck_every: how often such an effect is looked up again when nothing else is due.
        watch_every: how often open orders that the exchange cannot take care of by itself are looked at.
        postponements: how long the automation waits for what does not pass within minutes.
    """

    receive_window: Seconds = 5
    fence_margin: Seconds = 1
    fence_without_expiry: Seconds = 60
    zombie_margin: Seconds = 5
    intent_max_age: Seconds = 600
    approved_intent_max_age: Seconds = _HOUR
    unresolved_after: Seconds = 900
    recheck_every: Seconds = 900
    watch_every: Seconds = 60
    postponements: Mapping[PostponeReason, Delays] = field(default_factory=lambda: POSTPONEMENTS)

    @property
    def reserve(self) -> Seconds:
        """What must be left of a lease when an effect is begun: nothing of it may arrive behind its end."""
        return self.receive_window + self.zombie_margin

    @property
    def slowest_signature(self) -> Seconds:
        """How long after an effect was begun its request may still be signed.

        The lease is checked right before an effect. A process that is frozen in between and goes on later
        would sign with a new timestamp, behind the back of the one that took over.
        """
        return self.zombie_margin / 2


@dataclass(frozen=True, slots=True)
class Lease:
    """How long this process may act for the automation before another one may take over.

    Attributes:
        remaining: seconds left; negative when the time is over.
        length: seconds of the whole lease, had it begun right now.
    """

    remaining: Callable[[], Seconds] = lambda: inf
    length: Seconds = inf


UNLIMITED: Final = Lease()
"""For callers that never run one automation twice at a time."""
