"""What a state in its JSON form says about effects: which are pending, and since when it cannot work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def pending_effects(state: Json) -> list[Json]:
    """Return the intents that are planned or under way, in the order in which they were planned."""
    intents: list[Json] = _execution(state).get("pending_effects", [])
    return intents


def count_sent(state: Json) -> int:
    """Return how many effects were sent without an answer that settles them."""
    return sum(intent.get("status") == "tried" for intent in pending_effects(state))


def count_open_orders(state: Json) -> int:
    """Return how many orders the automation has open on its account."""
    elements = state.get("automation", {}).get("exchange_account_elements", {})
    return len(elements.get("orders", {}).get("open_orders", ()))


def degraded_reason(state: Json) -> str | None:
    """Return why the automation cannot do its work, if it cannot."""
    degraded = _execution(state).get("degraded_state", {})
    words = [degraded[name] for name in ("reason", "error") if degraded.get(name)]
    return ": ".join(words) or None


def _execution(state: Json) -> Json:
    execution: Json = state.get("automation", {}).get("execution", {})
    return execution
