"""The vocabulary of effects: what an operator plans on a live account, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from engine.errors import ActionStatus
from engine.state import EffectKind, Order, Transaction
from engine.types import EffectKey, OrderId, Symbol


@dataclass(frozen=True, slots=True)
class IntentDraft:
    """An effect as the account plans it; the job adds whose it is and when it was planned.

    Attributes:
        key: its identity, the same on every attempt.
        leg: which part of its call it is.
        kind: what is to be done.
        params: everything that is sent, fixed, as JSON: an `Order` for `create_order`; `id`,
            `client_order_id` and `symbol` for `cancel_order` (and `replacements`, orders to place once it is
            gone; `forgets`, ids of inactive orders that go with it; `at_the_end`, whether a stop asks for
            it); `symbol` and `leverage`; a `Transaction` for `withdraw`.
    """

    key: EffectKey
    leg: str
    kind: EffectKind
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Planned:
    """Returned instead of a result: the effects were planned, and are sent by the next invocation."""

    keys: tuple[EffectKey, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """The exchange has the order; `order` as it was known right then."""

    order: Order
    outcome: Literal["placed"] = "placed"


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The order is not open any more because it was cancelled."""

    id: OrderId
    symbol: Symbol
    outcome: Literal["cancelled"] = "cancelled"


@dataclass(frozen=True, slots=True)
class Applied:
    """A setting was changed."""

    outcome: Literal["applied"] = "applied"


@dataclass(frozen=True, slots=True)
class Sent:
    """Funds are on their way."""

    transaction: Transaction
    outcome: Literal["sent"] = "sent"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The exchange, or a person, refused; nothing happened, and nothing will."""

    status: ActionStatus
    message: str
    outcome: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True)
class Dropped:
    """It never reached the exchange and has become too old to send: its call is to be evaluated again."""

    outcome: Literal["dropped"] = "dropped"


Outcome = Placed | Cancelled | Applied | Sent | Refusal | Dropped
"""What became of one effect, for certain."""

_OUTCOMES: TypeAdapter[Outcome] = TypeAdapter(Outcome)


def dump_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return the JSON form of an outcome, defaults left out but its kind."""
    dumped = _OUTCOMES.dump_python(outcome, mode="json", exclude_defaults=True)
    return {**dumped, "outcome": outcome.outcome}


def load_outcome(raw: Mapping[str, Any]) -> Outcome:
    """Return an outcome from its JSON form."""
    return _OUTCOMES.validate_python(dict(raw))


@dataclass(frozen=True, slots=True)
class CallOutcomes:
    """What became of everything that one call planned, leg by leg.

    Attributes:
        outcomes: in the order in which the legs were planned.
    """

    outcomes: Sequence[Outcome] = ()

    @classmethod
    def of(cls, last_execution_result: Mapping[str, Any] | None) -> CallOutcomes | None:
        """Return the outcomes that a call finds when it is called again; None when it planned nothing.

        Args:
            last_execution_result: what the operator gets back: `intents`, the keys of what it planned, and
                `outcomes` by key.
        """
        if not last_execution_result or "intents" not in last_execution_result:
            return None
        outcomes = last_execution_result.get("outcomes", {})
        known = [outcomes[key] for key in last_execution_result["intents"] if key in outcomes]
        return cls([load_outcome(raw) for raw in known])

    @property
    def all_dropped(self) -> bool:
        """Whether nothing of it was sent, so that the call starts anew."""
        return all(isinstance(outcome, Dropped) for outcome in self.outcomes)
