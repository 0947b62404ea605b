"""One candle as an account goes through it: open, adverse extreme, other extreme, close.

A level that is valid since the candle's opening is checked along this whole path, on which the adverse
extreme comes first because nobody knows better. One that became valid within the candle is checked against
what the price must still have passed from there on: the extreme that it was on its way to, and the close.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, Self

from engine.market import Bars
from engine.money import to_decimal
from engine.orders import ending_exits, is_reached, level_of, rule_of, waits_for_fall
from engine.paper.desk import Desk
from engine.paper.fills import Fill
from engine.paper.trailing import pull
from engine.state import Order
from engine.types import OrderId, Price, Timestamp

_WHOLE: Final = frozenset({1, 2, 3})
"""The legs that a level sees which is valid since the opening: to either extreme, and to the close."""

_OPEN, _CLOSE = 0, 4
"""The ends of the path, which all levels see that are valid by then."""

_AFTER: Final = {
    _OPEN: _WHOLE,
    1: frozenset({1}),
    2: frozenset({2, 3}),
    3: frozenset[int](),
    _CLOSE: frozenset[int](),
}
"""The legs that a level sees which became valid at one place. On the way to an extreme, the price must still
have come there; the other extreme may have been before."""


class Candle(NamedTuple):
    """A finished piece of a price's history; times in UNIX seconds."""

    opened: Timestamp
    closed: Timestamp
    open: Price
    low: Price
    high: Price
    close: Price

    @classmethod
    def of(cls, bars: Bars, index: int) -> Self:
        """Return one of some bars."""
        prices = (bars.open, bars.low, bars.high, bars.close)
        known = (to_decimal(column.item(index)) for column in prices)
        return cls(bars.opened.item(index), bars.closed.item(index), *known)


class _Crossing(NamedTuple):
    """That the price comes to a level: its own, or that of an exit that ends the order.

    Attributes:
        order: whose it is.
        waiting: the order, or its exit.
        at: the price by then.
    """

    order: Order
    waiting: Order
    at: Price


_Watch = tuple[Order, Order, bool]
"""An order; it, or an exit that would end it; whether that waits for a fall."""


class CandleWalk:
    """Takes the orders of one symbol through one candle.

    Args:
        candle: it is finished, or all that is looked at is its open.
        desk: the account.
        orders: those that the candle may reach; they existed before its close.
        followed: until when trailing stops have followed the price in whole candles.
        rank: seniority of an order, the oldest first.
    """

    def __init__(
        self,
        candle: Candle,
        desk: Desk,
        orders: Iterable[Order],
        *,
        followed: Timestamp,
        rank: Callable[[Order], int],
    ) -> None:
        self.orders: Final = {order.id: order for order in orders}
        self._candle = candle
        self._desk = desk
        self._rank = rank
        self._legs: dict[OrderId, frozenset[int]] = {}
        self._born: set[OrderId] = set()
        self._trails = False
        self._watched: list[_Watch] = []
        for order in self.orders.values():
            trails = order.trailing_percent is not None and rule_of(order).trails
            since = max(order.created_at, followed) if trails else order.created_at
            self._legs[order.id] = _WHOLE if since <= candle.opened else frozenset()
            self._trails = self._trails or trails
            self._watch(order)

    def at_open(self, falls_first: bool | None) -> None:
        """Let the orders that were there before the candle meet its open.

        Args:
            falls_first: whether falling prices are adverse; None when that is open.
        """
        price = self._candle.open
        self._meet(price, falls_first, lambda _: price, leg=_OPEN)
        self._pull(price, 1)

    def from_open(self, falls_first: bool) -> None:
        """Go on from the open to the close.

        Args:
            falls_first: whether falling prices are adverse to the account.
        """
        candle = self._candle
        ahead = self._put_back()
        extremes = (candle.low, candle.high) if falls_first else (candle.high, candle.low)
        price = candle.open
        for leg, end in enumerate((*extremes, candle.close), start=1):
            self._go(price, end, leg)
            self._pull(end, leg)
            price = end

        if self._is_close_news():
            self._meet(price, falls_first, self._price_at_close, leg=_CLOSE)
            self._pull(price)
        for order, stop in ahead:
            pull(order, stop)

    def open_orders(self) -> list[Order]:
        """Return the orders that are still open, those that appeared last."""
        return [order for order in self.orders.values() if order.status == "open"]

    # Inside

    def _watch(self, order: Order) -> None:
        """Watch the level that an order waits for, and those of the exits that would end it."""
        self._watched.append((order, order, waits_for_fall(order)))
        if order.cancel_policy is not None:
            self._watched += ((order, exit_, waits_for_fall(exit_)) for exit_ in ending_exits(order))

    def _is_close_news(self) -> bool:
        """Whether the close says more of an order than the way there did."""
        opened = self._candle.opened
        return any(3 not in self._legs[name] or one.stop_since > opened for name, one in self.orders.items())

    def _price_at_close(self, order: Order) -> Price:
        """Return the price at which the close carries out an order: its level, which was passed on the way.

        One that the price had passed when it was placed within the candle meets the close and nothing else.
        """
        legs = self._legs.get(order.id)  # None for the exit of an entry
        is_placed_within = legs is not None and not legs and order.id not in self._born
        if is_placed_within and is_reached(order, self._candle.open):
            return self._candle.close
        return level_of(order)

    def _go(self, start: Price, end: Price, leg: int) -> None:
        """Go along a leg, from one level to the next."""
        while self._watched and (crossing := self._next(start, end, leg)) is not None:
            start = crossing.at
            self._carry_out(crossing, leg)

    def _next(self, start: Price, end: Price, leg: int) -> _Crossing | None:
        """Return the level that the price comes to first on a leg; what it has passed by then, at once."""
        first: tuple[Price, int, bool] | None = None
        crossing: _Crossing | None = None
        for order, waiting, falls in self._watched:
            is_moved = order.stop_since and waiting is order
            level = self._proven_level(order) if is_moved else level_of(waiting)
            if end > level if falls else end < level:
                continue
            if leg not in self._legs[order.id]:
                continue
            at = start if (start <= level if falls else start >= level) else level_of(waiting)
            key = abs(at - start), self._rank(order), waiting is not order
            if first is None or key < first:
                first, crossing = key, _Crossing(order, waiting, at)
        return crossing

    def _meet(
        self,
        price: Price,
        falls_first: bool | None,
        at: Callable[[Order], Price],
        leg: int,
    ) -> None:
        """Let all orders meet one price: adverse levels first, of these the one that was passed first."""

        def key(watch: _Watch) -> tuple[bool, Price, int, bool]:
            order, waiting, falls = watch
            level = level_of(waiting)
            later = falls_first is not None and falls != falls_first
            return later, -level if falls else level, self._rank(order), waiting is not order

        while reached := [watch for watch in self._watched if is_reached(watch[1], price)]:
            order, waiting, _ = min(reached, key=key)
            self._carry_out(_Crossing(order, waiting, at(waiting)), leg)

    def _carry_out(self, crossing: _Crossing, leg: int) -> None:
        """Let an order fill or end; what it moves beyond the price is carried out at once."""
        order, waiting, at = crossing
        moved: Sequence[Order] = ()
        if waiting is order:
            time = self._candle.opened if leg == _OPEN else self._candle.closed
            liquidity = rule_of(order).liquidity
            price = level_of(order) if liquidity == "maker" else at
            moved = list(self._desk.reach(order, Fill(price, time, liquidity), at))
        else:
            self._desk.drop(order, "canceled")
        self._watched = [watch for watch in self._watched if watch[0].status == "open"]
        for one in moved:
            if one.status == "open":
                self._take_in(one, leg)
                if is_reached(one, at):
                    self._carry_out(_Crossing(one, one, at), leg)

    def _take_in(self, order: Order, leg: int) -> None:
        """Take in an order that appeared, or that waits for another price now."""
        self.orders[order.id], self._legs[order.id] = order, _AFTER[leg]
        self._born.add(order.id)
        self._watched = [watch for watch in self._watched if watch[0].id != order.id]
        self._watch(order)

    def _proven_level(self, order: Order) -> Price:
        """Return the level that proves an order when an extreme passes it.

        One that was moved within the candle is proven by what lies beyond both where it was and where it is.
        """
        level, before = level_of(order), order.stop_before
        moved = order.stop_since > self._candle.opened and order.id not in self._born
        if not moved or before is None or rule_of(order).trails:
            return level
        return min(level, before) if waits_for_fall(order) else max(level, before)

    def _pull(self, price: Price, leg: int | None = None) -> None:
        """Pull the trailing stops that see a leg behind the price at its end."""
        if not self._trails:
            return
        for order in self.orders.values():
            sees = leg is None or leg in self._legs[order.id]
            if sees and order.status == "open" and rule_of(order).trails:
                pull(order, price, self._desk.market(order.symbol))

    def _put_back(self) -> list[tuple[Order, Price]]:
        """Put trailing stops that moved within the candle back to where they were at its opening.

        Returns:
            Where they were moved to.
        """
        ahead: list[tuple[Order, Price]] = []
        if not self._trails:
            return ahead
        for order in self.orders.values():
            has_moved = order.stop_since > self._candle.opened and rule_of(order).trails
            if has_moved and order.stop_before is not None and self._legs[order.id]:
                ahead.append((order, level_of(order)))
                order.stop_price = order.stop_before
        return ahead
