"""What goes wrong on the way to an exchange and back: typed faults, and which requests they hit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from random import Random


class Moment(Enum):
    """When a fault strikes, seen from the exchange's books."""

    BEFORE = "before"
    """The request has arrived, and is not looked at yet; its signature may expire meanwhile."""
    AFTER = "after"
    """The books have changed, and the answer has not been sent."""


class Trouble(Enum):
    """Errors that come instead of an answer; a dialect says them in its exchange's words."""

    RATE_LIMITED = "rate_limited"
    BANNED = "banned"
    TOO_MANY_ORDERS = "too_many_orders"
    UNAVAILABLE = "unavailable"
    OVERLOADED = "overloaded"
    BAD_GATEWAY = "bad_gateway"
    PROXY_PAGE = "proxy_page"
    """A page of a proxy that quotes the whole request, its headers included."""
    UNEXPECTED_RESPONSE = "unexpected_response"
    TIMEOUT = "timeout"
    MAINTENANCE = "maintenance"
    DUPLICATE = "duplicate"
    INVALID_KEY = "invalid_key"


@dataclass(frozen=True, slots=True)
class Delay:
    """The request, or its answer, takes that many seconds more."""

    seconds: float
    moment: Moment = Moment.BEFORE


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection breaks."""

    moment: Moment = Moment.BEFORE


@dataclass(frozen=True, slots=True)
class Late:
    """The connection breaks at once, and the request arrives that many seconds later all the same."""

    seconds: float
    moment: Moment = Moment.BEFORE


@dataclass(frozen=True, slots=True)
class Say:
    """An error is answered; `retry_after` seconds are told in a header where there are any."""

    trouble: Trouble
    moment: Moment = Moment.BEFORE
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class PartialFill:
    """Of what an order could trade at once only this part trades."""

    part: Decimal
    moment: Moment = Moment.BEFORE


@dataclass(frozen=True, slots=True)
class Call:
    """Something that the test does at that very moment, such as killing a worker."""

    action: Callable[[], Awaitable[None]]
    moment: Moment = Moment.BEFORE


Fault = Delay | Drop | Late | Say | PartialFill | Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The requests that a fault hits: those that agree in all that is given.

    Attributes:
        method: GET, POST or DELETE.
        path: how the path ends; of several endings any one.
        key: API key of the customer.
        params: parameters of the query or the body.
    """

    method: str | None = None
    path: str | tuple[str, ...] = ""
    key: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    def hits(self, method: str, path: str, key: str | None, params: Mapping[str, str]) -> bool:
        """Whether a request is one of them."""
        return (
            self.method in (None, method)
            and path.endswith(self.path)
            and self.key in (None, key)
            and all(params.get(name) == value for name, value in self.params.items())
        )


ANY_REQUEST = Where()
CREATE_ORDER = Where(method="POST", path=("/order", "/batch-orders"))
"""Creating an order, in both dialects."""


@dataclass(slots=True)
class Rule:
    """A fault that is waiting for its requests.

    Attributes:
        skip: how many of its requests it still lets pass.
        left: how often it still strikes; None: as long as it is set.
        probability: of striking a request that it hits, drawn from `random`.
    """

    fault: Fault
    where: Where
    skip: int
    left: int | None
    probability: float
    random: Random


class FaultTable:
    """The faults that are set, in the order in which they strike one request."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def add(
        self,
        fault: Fault,
        where: Where = ANY_REQUEST,
        *,
        skip: int = 0,
        times: int | None = 1,
        probability: float = 1.0,
        seed: int = 0,
    ) -> Rule:
        """Set a fault.

        Args:
            skip: how many requests it lets pass first.
            times: how often it strikes; None: until it is removed.
            probability: of striking each of its requests.
            seed: decides when it does.
        """
        rule = Rule(fault, where, skip, times, probability, Random(seed))
        self._rules.append(rule)
        return rule

    def remove(self, rule: Rule) -> None:
        """Take a fault back; nothing happens when it is used up."""
        if rule in self._rules:
            self._rules.remove(rule)

    def clear(self) -> None:
        """Take all faults back."""
        self._rules.clear()

    def take(self, method: str, path: str, key: str | None, params: Mapping[str, str]) -> list[Fault]:
        """Return the faults that strike a request, and count them down."""
        struck = []
        for rule in list(self._rules):
            if not rule.where.hits(method, path, key, params) or rule.random.random() >= rule.probability:
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            struck.append(rule.fault)
            if rule.left is not None:
                rule.left -= 1
                if rule.left == 0:
                    self._rules.remove(rule)
        return struck
