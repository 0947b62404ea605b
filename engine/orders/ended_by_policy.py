"""Cancel policies at work: when one ends an order before the price reaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.market import Bars
from engine.orders.cancel_policy import CHAINED_PRICE, EXPIRATION_TIME
from engine.orders.matching import START, BarMoment, Phase, first_touch
from engine.state import Order, OrderStatus


@dataclass(frozen=True, slots=True)
class Ending:
    """That an order ends unfilled: when, and as what."""

    at: BarMoment
    status: OrderStatus


def _expires(order: Order, bars: Bars, after: BarMoment) -> Ending | None:
    """End before the first bar that goes on beyond the expiration."""
    assert order.cancel_policy is not None
    bar = int(bars.closed.searchsorted(order.cancel_policy["expiration_time"], side="right"))
    return Ending(BarMoment(max(bar, after.bar), Phase.OPEN), "expired") if bar < len(bars) else None


def _exit_is_reached(order: Order, bars: Bars, after: BarMoment) -> Ending | None:
    """End when the price is where an exit would have been carried out."""
    waiting = [exit_.model_copy(update={"created_at": order.created_at}) for exit_ in order.chained]
    touches = [touch.at for exit_ in waiting if (touch := first_touch(exit_, bars, after)) is not None]
    return Ending(min(touches), "canceled") if touches else None


POLICIES: Final[Mapping[str, Callable[[Order, Bars, BarMoment], Ending | None]]] = {
    EXPIRATION_TIME: _expires,
    CHAINED_PRICE: _exit_is_reached,
}


def first_ending(order: Order, bars: Bars, after: BarMoment = START) -> Ending | None:
    """Return when the order's policy ends it within the bars; None without a policy."""
    if order.cancel_policy is None:
        return None
    return POLICIES[order.cancel_policy["type"]](order, bars, after)
