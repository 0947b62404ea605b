"""Names of what follows from an order: legs and keys that are the same whenever they are planned again."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

from engine.exchanges import Capabilities
from engine.money import ZERO
from engine.state import Order, Origin
from engine.types import EffectKey, OrderId

_FOLLOW_UPS: Final = UUID("6f63746f-666c-5f77-8000-666f6c6c6f77")

STOP: Final = "stop"
CANCEL: Final = "cancel"
MOVE: Final = "move"
GIVE_UP: Final = "giveup"
AGAIN: Final = "again"
INSTEAD: Final = "instead"


def next_leg(leg: str, word: str) -> str:
    """Return the leg of the next repetition: `0/stop`, `0/stop/move1`, `0/stop/move2`."""
    base, _, last = leg.rpartition("/")
    number = last.removeprefix(word)
    if base and last.startswith(word) and number.isdigit():
        return f"{base}/{word}{int(number) + 1}"
    return f"{leg}/{word}1"


def follow_up_key(parent: str | None, leg: str) -> EffectKey:
    """Return the key of a follow-up.

    Args:
        parent: client order id of the order it follows from, or the key of the intent that it repeats.
        leg: of the follow-up; its last part tells it from the parent's others.
    """
    return EffectKey(uuid5(_FOLLOW_UPS, f"{parent}/{leg.rpartition('/')[2]}").hex)


def named(order: Order, key: EffectKey, capabilities: Capabilities) -> Order:
    """Return an order that is not placed yet under the names that derive from its key."""
    names = {"id": OrderId(key), "client_order_id": capabilities.client_order_id(key)}
    return order.model_copy(update=names)


def succeeding(order: Order, word: str, capabilities: Capabilities) -> Order:
    """Return the order that takes an open order's place, under a name of its own and not filled yet."""
    assert order.origin is not None, "orders of live accounts know their call"
    leg = next_leg(order.origin.leg, word)
    origin = order.origin.model_copy(update={"leg": leg})
    fresh = {"origin": origin, "filled": ZERO, "fee": None, "status": "open", "chained": []}
    key = follow_up_key(order.client_order_id, leg)
    return named(order.model_copy(update=fresh), key, capabilities)


def originated(order: Order, origin: Origin) -> Order:
    """Return an order, and the exits that hang on it, in the name of the call that planned it."""
    profits = 0
    chained = []
    own = origin.carrying(order.origin)
    for one in order.chained:
        profits += one.stop_price is None
        name = STOP if one.stop_price is not None else f"tp{profits}"
        leg = origin.model_copy(update={"leg": f"{origin.leg}/{name}"})
        chained.append(one.model_copy(update={"origin": one.origin or leg}))
    return order.model_copy(update={"origin": own, "chained": chained})
