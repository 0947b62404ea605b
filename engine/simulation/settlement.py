"""Settlement: which open orders of a symbol filled while nobody looked, in the order in which they did."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from engine.exchange.bars import Bars
from engine.simulation.fills import Fill
from engine.simulation.matching import RULES, Touch
from engine.state import Order

Book = Callable[[Order, Fill], Iterable[Order]]
"""Books a fill; returns the orders that it opened, which take part from then on."""

Event = tuple[int, int, int]
"""Bar, phase, rank: what comes first is settled first."""


def settle(orders: Sequence[Order], bars: Bars, book: Book) -> None:
    """Fill the open orders of one symbol from what its price did, oldest first.

    Within a bar the low comes first, then the high, then the close; at one moment, the older order first.
    An order that is no longer open when its turn comes is skipped.

    Args:
        orders: the symbol's open orders.
        bars: the price since the last settlement.
        book: books each fill in the account.
    """
    queue = _Queue(bars)
    for order in orders:
        queue.add(order)
    while (event := queue.pop()) is not None:
        order, touch = event
        if order.status != "open":
            continue
        fill = Fill(touch.price, float(bars.closed[touch.bar]), touch.liquidity)
        for opened in book(order, fill):
            queue.add(opened)


class _Queue:
    """The fills to come, earliest first."""

    def __init__(self, bars: Bars) -> None:
        self._bars: Final = bars
        self._events: list[tuple[Event, Order, Touch]] = []
        self._rank = 0

    def add(self, order: Order) -> None:
        rule = RULES.get(order.type)
        touch = rule.first_touch(order, self._bars) if rule is not None else None
        if touch is not None:
            # The rank is unique, so that orders themselves are never compared.
            heapq.heappush(self._events, ((touch.bar, touch.phase, self._rank), order, touch))
            self._rank += 1

    def pop(self) -> tuple[Order, Touch] | None:
        return heapq.heappop(self._events)[1:] if self._events else None
