"""Which open orders need care that the exchange does not give, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final

from engine.live.books.catch_up import is_settled
from engine.live.books.follow_ups import expires_at
from engine.state import Order, Orders
from engine.types import Seconds, Symbol, Timestamp

LISTED_SOON: Final[Seconds] = 5
"""When trades that an exchange does not list yet are asked for again."""


def watch_at(orders: Orders, now: Timestamp, every: Seconds) -> Timestamp | None:
    """Return when to look at the orders again, UNIX seconds; None when the exchange does all there is to do.

    Args:
        orders: of the automation.
        now: market time.
        every: how often prices are looked at.
    """
    return min(_instants(orders, now, every), default=None)


def needs_price(orders: Orders) -> Collection[Symbol]:
    """Return the symbols whose price decides what follows."""
    known = [*orders.open_orders, *orders.closing_orders]
    watched = [order.symbol for order in known if order.chained or order.cancel_policy]
    return dict.fromkeys([*watched, *(order.symbol for order in orders.inactive_orders)])


def _instants(orders: Orders, now: Timestamp, every: Seconds) -> Iterator[Timestamp]:
    shared = Counter(order.group or "" for order in orders.open_orders)
    for order in orders.open_orders:
        expiry = expires_at(order)
        if expiry is not None:
            yield max(now, expiry)
        if _is_watched(order) or (order.group and shared[order.group] > 1):
            yield now + every
    if orders.inactive_orders:
        yield now + every
    if orders.closing_orders:
        unlisted = any(not is_settled(order) for order in orders.closing_orders)
        yield now + (min(every, LISTED_SOON) if unlisted else every)


def _is_watched(order: Order) -> bool:
    """Whether something happens when it fills, or before that at some price."""
    return bool(order.chained) or ends_at_a_price(order)


def ends_at_a_price(order: Order) -> bool:
    """Whether the order's cancel policy ends it when the price comes somewhere."""
    return order.cancel_policy is not None and expires_at(order) is None
