"""Groups: what the fill of one exit does to the others that hang on the same entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.money import exact
from engine.orders.exits import BALANCED, BALANCED_TRAILING, ONE_CANCELS_THE_OTHER
from engine.state import Order
from engine.types import Amount, Timestamp


@dataclass(frozen=True, slots=True)
class Reaction:
    """What becomes of the others: which end, and which changed the price that they wait for."""

    ended: Sequence[Order] = ()
    moved: Sequence[Order] = ()


NO_REACTION: Final = Reaction()


def react(filled: Order, amount: Amount, others: Sequence[Order], at: Timestamp) -> Reaction:
    """Let a group react to a fill of one of its orders; reduced and moved orders are changed in place.

    Args:
        filled: the order that fills.
        amount: how much of it, in base.
        others: the open orders of its group.
        at: when, UNIX seconds.
    """
    kind = (filled.group or "").partition(":")[0]
    reaction = _REACTIONS.get(kind)
    return reaction(filled, amount, others, at) if reaction else NO_REACTION


def lives_alone(order: Order) -> bool:
    """Whether an order can stay when another of its group is cancelled."""
    return not (order.group or "").startswith(ONE_CANCELS_THE_OTHER)


def _end_all(_filled: Order, _amount: Amount, others: Sequence[Order], _at: Timestamp) -> Reaction:
    return Reaction(ended=others)


@exact
def _balance(filled: Order, amount: Amount, others: Sequence[Order], _at: Timestamp) -> Reaction:
    """End all take-profits with the stop; reduce the stop by a take-profit."""
    if filled.stop_price is not None:
        return Reaction(ended=others)
    stops = [order for order in others if order.stop_price is not None]
    for stop in stops:
        stop.amount -= amount
    return Reaction(ended=[stop for stop in stops if stop.amount <= 0])


def _balance_and_trail(filled: Order, amount: Amount, others: Sequence[Order], at: Timestamp) -> Reaction:
    """As balanced, and move the stop one step up its ladder; from then on it counts as a new order."""
    balanced = _balance(filled, amount, others, at)
    moved = []
    if filled.stop_price is None:
        moved = [order for order in others if order.stop_ladder and order not in balanced.ended]
    for stop in moved:
        stop.stop_price, *stop.stop_ladder = stop.stop_ladder
        stop.created_at = at
    return Reaction(ended=balanced.ended, moved=moved)


_REACTIONS: Final[Mapping[str, Callable[[Order, Amount, Sequence[Order], Timestamp], Reaction]]] = {
    ONE_CANCELS_THE_OTHER: _end_all,
    BALANCED: _balance,
    BALANCED_TRAILING: _balance_and_trail,
}
