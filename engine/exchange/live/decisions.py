"""Applies what a person decided about planned effects: approve, reject, resolve."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from engine.errors import ActionStatus, ConfigurationError
from engine.exchange.effects import Applied, Cancelled, Dropped, Outcome, Refusal, Sent
from engine.exchange.live.settlement import Settled
from engine.state import Intent, Transaction
from engine.types import OrderId, Symbol


@dataclass(frozen=True, slots=True)
class Decided:
    """The pending effects after a person's decisions.

    Attributes:
        pending: what is left for the guard, in the order given.
        settled: what the decisions ended.
        found: keys of orders to create that a person found on the exchange; the guard adopts them.
    """

    pending: Sequence[Intent]
    settled: Sequence[Settled] = ()
    found: frozenset[str] = frozenset()


def decide(
    intents: Sequence[Intent],
    *,
    approved: Collection[str] = (),
    rejected: Mapping[str, str] | None = None,
    resolved: Mapping[str, bool] | None = None,
) -> Decided:
    """Return the effects as they are after the decisions.

    Args:
        intents: the pending effects.
        approved: keys of effects that may be sent.
        rejected: keys of effects that must not be sent, with the reason.
        resolved: keys of unresolved effects, and whether the exchange has them.

    Raises:
        ConfigurationError: `unknown_intent`, when a key names no effect that waits for this decision.
    """
    rejected, resolved = rejected or {}, resolved or {}
    _check(approved, intents, "awaiting_approval")
    _check(rejected, intents, "awaiting_approval")
    _check(resolved, intents, "unresolved")
    pending: list[Intent] = []
    settled: list[Settled] = []
    for intent in intents:
        outcome = _outcome(intent, rejected, resolved)
        if outcome is not None:
            settled.append(Settled(intent, outcome))
        elif intent.key in approved:
            pending.append(intent.model_copy(update={"status": "planned"}))
        else:
            pending.append(intent)
    left = {intent.key for intent in pending}
    return Decided(pending, settled, frozenset(key for key in resolved if key in left))


def _outcome(intent: Intent, rejected: Mapping[str, str], resolved: Mapping[str, bool]) -> Outcome | None:
    """Return what a decision makes of an effect; None where it does not end it."""
    if intent.key in rejected:
        return Refusal(ActionStatus.REJECTED_BY_USER, rejected[intent.key] or "rejected without a reason")
    if intent.key not in resolved:
        return None
    return as_intended(intent) if resolved[intent.key] else Dropped()


def as_intended(intent: Intent) -> Outcome | None:
    """Return the outcome of an effect that happened as planned; None for an order to look up."""
    params = intent.params
    match intent.kind:
        case "create_order":
            return None
        case "cancel_order":
            return Cancelled(OrderId(params["id"]), Symbol(params["symbol"]))
        case "set_leverage":
            return Applied()
        case "withdraw":
            return Sent(Transaction.model_validate(params))


def _check(keys: Collection[str], intents: Sequence[Intent], status: str) -> None:
    """Raise unless every key names an effect with the status."""
    there = [intent.key for intent in intents if intent.status == status]
    unknown = sorted(set(keys) - set(there))
    if unknown:
        known = f"there are {', '.join(there)}" if there else "there is none"
        words = status.replace("_", " ")
        raise ConfigurationError(
            f"no effect that is {words} has the key {', '.join(unknown)}; {known}", code="unknown_intent"
        )
