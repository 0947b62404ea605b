"""Applies what a person decided about planned effects: approve, reject, resolve."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from engine.effects import Applied, Cancelled, Dropped, Outcome, Refusal, Sent
from engine.errors import ActionStatus, ConfigurationError
from engine.live.guard.result import SettledEffect
from engine.state import Intent, Transaction
from engine.types import OrderId, Symbol


@dataclass(frozen=True, slots=True)
class Decided:
    """The pending effects after a person's decisions.

    Attributes:
        pending: what is left for the guard, in the order given.
        settled: what was rejected.
    """

    pending: Sequence[Intent]
    settled: Sequence[SettledEffect] = ()


def decide(
    intents: Sequence[Intent],
    *,
    approved: Collection[str] = (),
    rejected: Mapping[str, str] | None = None,
    resolved: Collection[str] = (),
) -> Decided:
    """Return the effects as they are after the decisions; those that are resolved are left to the guard.

    Args:
        intents: the pending effects.
        approved: keys of effects that may be sent.
        rejected: keys of effects that must not be sent, with the reason.
        resolved: keys of unresolved effects of which a person knows what became of them.

    Raises:
        ConfigurationError: `unknown_intent`, when a key names no effect that waits for this decision.
    """
    rejected = rejected or {}
    _check(approved, intents, "awaiting_approval")
    _check(rejected, intents, "awaiting_approval")
    _check(resolved, intents, "unresolved")
    pending: list[Intent] = []
    settled: list[SettledEffect] = []
    for intent in intents:
        if intent.key in rejected:
            reason = rejected[intent.key] or "rejected without a reason"
            settled.append(SettledEffect(intent, Refusal(ActionStatus.REJECTED_BY_USER, reason)))
        elif intent.key in approved:
            pending.append(intent.model_copy(update={"status": "planned"}))
        else:
            pending.append(intent)
    return Decided(pending, settled)


def as_resolved(intent: Intent, *, found: bool) -> Outcome | None:
    """Return the outcome of an effect that a person found, or not; None for an order to create."""
    params = intent.params
    match intent.kind:
        case "create_order":
            return None
        case _ if not found:
            return Dropped()
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
