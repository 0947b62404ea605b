"""Cancel policies at work: what ends an order before the price reaches it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.market import Bars
from engine.orders.cancel_policy import CHAINED_PRICE, EXPIRATION_TIME
from engine.orders.matching import first_touch
from engine.state import Order, OrderStatus
from engine.types import Timestamp


def expiration_of(order: Order) -> Timestamp | None:
    """Return until when an order may stay in the book, UNIX seconds; None without a limit."""
    policy = order.cancel_policy
    return policy["expiration_time"] if policy and policy["type"] == EXPIRATION_TIME else None


def ending_exits(order: Order) -> Sequence[Order]:
    """Return the exits of an entry that end it when the price reaches one of them first."""
    policy = order.cancel_policy
    return order.chained if policy and policy["type"] == CHAINED_PRICE else ()


def ended_within(order: Order, bars: Bars) -> OrderStatus | None:
    """Return as what an order's policy has ended it by the end of the bars; None when it has not.

    Args:
        order: an open order.
        bars: what the price did since it was created.
    """
    expiration = expiration_of(order)
    if expiration is not None and len(bars) and bars.closed[-1] > expiration:
        return "expired"
    touches = (first_touch(exit_, bars, since=order.created_at) for exit_ in ending_exits(order))
    return "canceled" if any(touch is not None for touch in touches) else None
