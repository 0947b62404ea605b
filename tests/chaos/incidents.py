"""What happens to one automation: drawn at random, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

from tests.support.loopback.faults import Delay, Drop, Fault, Late, Moment, Say, Trouble, Where

CREATES: Final = 4
"""Orders that each automation places by itself; exits that follow from them come on top."""

ACTIVE_SECONDS: Final = 4.0
"""About how long an automation is busy when nothing happens to it."""

CREATE: Final = Where(method="POST", path="/order")
LOOK_UP: Final = Where(method="GET", path=("/order", "/openOrders", "/allOrders"))
_CANCEL: Final = Where(method="DELETE", path="/order")
_ANY: Final = Where(path=("/order", "/openOrders", "/allOrders", "/account", "/myTrades"))


class Blow(Enum):
    """What is done to the worker."""

    KILL = "kill"
    FREEZE = "freeze"
    """It goes on a few seconds later."""
    STOP = "stop"
    GO_ON = "go on"
    """Whoever was stopped before goes on."""


@dataclass(frozen=True, slots=True)
class AtRequest:
    """The worker is struck at the very moment in which the exchange handles a request of the automation.

    Attributes:
        nth: which of those requests, counted from 0.
        fault: what happens to that request besides.
    """

    blow: Blow
    where: Where
    nth: int
    moment: Moment
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class AtTime:
    """The worker is struck some seconds after the automation started, whatever it does then."""

    blow: Blow
    seconds: float


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """A request is lost, delayed or answered with an error."""

    fault: Fault
    where: Where
    nth: int


Incident = AtRequest | AtTime | OnTheWay
Plan = Sequence[Incident]
"""What happens to one automation."""

_LOST: Final[Sequence[Fault | None]] = (None, None, Drop(), Drop(Moment.AFTER), Late(0.5), Late(0.9))
"""What may happen to the request at which a worker dies; the last one outlives its signature."""

_FAULTS: Final[Sequence[Fault]] = (
    Drop(),
    Drop(Moment.AFTER),
    Delay(0.2),
    Delay(0.9),
    Late(0.1),
    Late(0.3),
    Late(0.5),
    Late(0.9),
    Delay(0.3, Moment.AFTER),
    Say(Trouble.UNAVAILABLE),
    Say(Trouble.UNAVAILABLE, Moment.AFTER),
    Say(Trouble.BAD_GATEWAY),
    Say(Trouble.BAD_GATEWAY, Moment.AFTER),
    Say(Trouble.UNEXPECTED_RESPONSE),
    Say(Trouble.UNEXPECTED_RESPONSE, Moment.AFTER),
    Say(Trouble.TIMEOUT),
    Say(Trouble.TIMEOUT, Moment.AFTER),
    Say(Trouble.DUPLICATE, Moment.AFTER),
    Say(Trouble.RATE_LIMITED, retry_after=1),
)


def random_plans(runs: int, seed: int) -> Sequence[Plan]:
    """Return what happens to some automations."""
    random = Random(seed)
    return [_draw(random) for _ in range(runs)]


def _draw(random: Random) -> Plan:
    """Return what happens to one automation: one or two blows, and up to two troubles on the way."""
    troubles = [
        OnTheWay(random.choice(_FAULTS), random.choice((CREATE, CREATE, LOOK_UP, _ANY)), random.randrange(4))
        for _ in range(random.randrange(3))
    ]
    return [*(_blow(random) for _ in range(random.randint(1, 2))), *troubles]


def _blow(random: Random) -> Incident:
    blow = random.choices((Blow.KILL, Blow.FREEZE), weights=(3, 1))[0]
    if random.random() < 0.2:
        return AtTime(blow, random.uniform(0.1, ACTIVE_SECONDS))
    where = random.choices((CREATE, LOOK_UP, _CANCEL, _ANY), weights=(6, 3, 1, 2))[0]
    nth = 0 if where is _CANCEL else random.randrange(CREATES)
    fault = random.choice(_LOST) if blow is Blow.KILL else None
    return AtRequest(blow, where, nth, random.choice(tuple(Moment)), fault)
