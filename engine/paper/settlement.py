"""Settlement: what became of the open orders while nobody looked, in the order in which it happened.

What a candle says of the order of events within it, and what it leaves open, is in `candle_walk`; here is
which candle comes next. The same candles come to the same account, in however many settlements.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Final

from engine.market import NO_FUNDING, Bars, Funding, FundingRate
from engine.money import to_decimal
from engine.orders import (
    ending_exits,
    expiration_of,
    rule_of,
)
from engine.paper.candle_walk import Candle, CandleWalk
from engine.paper.desk import Desk
from engine.paper.first_touch import MANY_ORDERS, TouchFinder
from engine.paper.trailing import first_possible, follow, pull_by_one_price
from engine.state import Order
from engine.types import OrderId, Price, Symbol, Timestamp

NO_CANDLES: Final[Mapping[Symbol, Timestamp]] = {}


def settle(
    orders: Sequence[Order],
    bars: Mapping[Symbol, Bars],
    desk: Desk,
    *,
    now: Timestamp,
    settled_at: Timestamp = 0,
    settled_candles: Mapping[Symbol, Timestamp] = NO_CANDLES,
    funding: Funding = NO_FUNDING,
) -> Mapping[Symbol, Timestamp]:
    """Carry out what the price did to some open orders, oldest first, and the funding of positions.

    Args:
        orders: open orders, oldest first.
        bars: whole candles of their symbols that closed since the last settlement, and last, as a bar of one
            instant, the newest price.
        desk: the account.
        now: market time; orders that had expired by then end.
        settled_at: when the last settlement was.
        settled_candles: when the last whole candle closed that was settled, by symbol, if that was earlier.
        funding: what became known of it since, by symbol.

    Returns:
        When the last whole candle closed that is settled by now, by symbol.
    """
    whole = {symbol: known.without_overlaps() for symbol, known in bars.items()}
    has_many = len(orders) >= MANY_ORDERS
    finders = {symbol: TouchFinder(known, has_many=has_many) for symbol, known in whole.items()}
    timeline = _Timeline(whole, finders, desk, settled_at, settled_candles)
    for order in orders:
        timeline.add(order, now)
    for symbol, rates in funding.items():
        for rate in rates:
            timeline.add_funding(symbol, rate)
    timeline.run()
    timeline.bring_up_to_date(orders)
    return timeline.settled_candles()


class _Stage(IntEnum):
    """What comes first at one moment: what a candle proves is known when it closes."""

    CANDLE = 0
    FUNDING = 1
    OPEN = 2
    EXPIRATION = 3


_LAST: Final = 2**63

_Place = tuple[Timestamp, _Stage, Symbol, int]
"""When something happens, what, to which symbol, in which of its bars or as the how-manieth."""


@dataclass(frozen=True, slots=True)
class _Due:
    """A funding: holders of a future pay each other."""

    rate: Decimal
    mark: Price


class _Timeline:
    """What may happen, the earliest first, as far as it is known by now."""

    def __init__(
        self,
        bars: Mapping[Symbol, Bars],
        finders: Mapping[Symbol, TouchFinder],
        desk: Desk,
        settled_at: Timestamp,
        settled_candles: Mapping[Symbol, Timestamp],
    ) -> None:
        self._bars: Final = bars
        self._finders: Final = finders
        self._desk: Final = desk
        self._settled_at: Final = settled_at
        self._settled_candles: Final = settled_candles
        self._places: list[_Place] = []
        self._coming: dict[_Place, list[Order]] = {}
        self._place_of: dict[OrderId, _Place] = {}
        self._expirations: dict[_Place, Order] = {}
        self._fundings: dict[_Place, _Due] = {}
        self._ranks: dict[OrderId, int] = {}
        self._followed: dict[OrderId, int] = {}

    def add(self, order: Order, now: Timestamp) -> None:
        """Take an open order in."""
        if order.symbol not in self._bars:
            return
        self._note(order)
        expiration = expiration_of(order) if order.cancel_policy is not None else None
        if expiration is not None and expiration < now:
            place = (expiration, _Stage.EXPIRATION, order.symbol, self._rank(order))
            self._expirations[place] = order
            heapq.heappush(self._places, place)
        self._schedule(order, 0)

    def add_funding(self, symbol: Symbol, funding: FundingRate) -> None:
        """Take a funding in; one that became known late happens where the last settlement ended."""
        bars = self._bars.get(symbol)
        if bars is None or not len(bars):
            return
        time = max(funding.time, self._settled_at)
        mark = to_decimal(bars.price_at(time)) if funding.mark_price is None else funding.mark_price
        place = (time, _Stage.FUNDING, symbol, len(self._fundings))
        self._fundings[place] = _Due(funding.rate, mark)
        heapq.heappush(self._places, place)

    def run(self) -> None:
        """Let everything happen."""
        while self._places:
            place = heapq.heappop(self._places)
            time, stage, symbol, number = place
            if stage is _Stage.FUNDING:
                due = self._fundings[place]
                start = int(self._bars[symbol].closed.searchsorted(time, side="right"))
                for order in self._desk.fund(symbol, due.rate, due.mark, time):
                    self._schedule(order, start)
            elif stage is _Stage.EXPIRATION:
                if self._expirations[place].status == "open":
                    self._desk.drop(self._expirations[place], "expired")
            elif (orders := self._take(place)) and stage is _Stage.OPEN:
                self._open(symbol, number, orders)
            elif orders:
                self._walk(symbol, number, orders)

    def bring_up_to_date(self, orders: Iterable[Order]) -> None:
        """Leave trailing stops where the price left them."""
        settled = self.settled_candles()
        for order in orders:
            bars = self._bars.get(order.symbol)
            if bars is None or order.status != "open":
                continue
            if 0 < order.stop_since <= settled[order.symbol]:
                order.stop_since, order.stop_before = 0, None
            if order.trailing_percent is None or not rule_of(order).trails:
                continue
            market, count = self._desk.market(order.symbol), _whole_bars(bars)
            self._follow(order, count)
            if count < len(bars) and bars.closed[-1] >= order.created_at:
                price, at = to_decimal(float(bars.close[-1])), float(bars.closed[-1])
                pull_by_one_price(order, price, market, at=at, followed=settled[order.symbol])

    def settled_candles(self) -> Mapping[Symbol, Timestamp]:
        """Return when the last whole candle of each symbol closed that is settled."""
        settled = {symbol: self._followed_until(symbol) for symbol in self._bars}
        for symbol, bars in self._bars.items():
            if count := _whole_bars(bars):
                settled[symbol] = max(settled[symbol], float(bars.closed[count - 1]))
        return {**self._settled_candles, **settled}

    # Inside

    def _followed_until(self, symbol: Symbol) -> Timestamp:
        """Return until when whole candles were settled before."""
        return self._settled_candles.get(symbol, self._settled_at)

    def _note(self, order: Order) -> None:
        """Note an order's seniority, unless it is the one that would liquidate a position."""
        is_guard = order.reduce_only and order is self._desk.guard(order.symbol)
        if not is_guard:
            self._ranks.setdefault(order.id, len(self._ranks))

    def _rank(self, order: Order) -> int:
        """Return an order's seniority; the exchange liquidates a position after all orders at that price."""
        return self._ranks.get(order.id, _LAST)

    def _take(self, place: _Place) -> list[Order]:
        """Return the orders that something may happen to now, and not elsewhere by now."""
        orders = self._coming.pop(place, [])
        return [one for one in orders if one.status == "open" and self._place_of[one.id] == place]

    def _open(self, symbol: Symbol, bar: int, orders: Sequence[Order]) -> None:
        walk = self._start(symbol, bar, orders)
        walk.at_open(self._desk.falls_first(symbol))
        for order in walk.open_orders():
            self._note(order)
            self._schedule(order, bar, is_open=True)

    def _walk(self, symbol: Symbol, bar: int, orders: Sequence[Order]) -> None:
        walk = self._start(symbol, bar, orders)
        walk.from_open(self._falls_first(symbol, bar, orders))
        for order in walk.open_orders():
            self._note(order)
            self._followed[order.id] = bar + 1
            self._schedule(order, bar + 1)

    def _start(self, symbol: Symbol, bar: int, orders: Sequence[Order]) -> CandleWalk:
        for order in orders:
            if order.trailing_percent is not None:
                self._follow(order, bar)
        candle = Candle.of(self._bars[symbol], bar)
        followed = self._followed_until(symbol)
        return CandleWalk(candle, self._desk, orders, followed=followed, rank=self._rank)

    def _falls_first(self, symbol: Symbol, bar: int, orders: Sequence[Order]) -> bool:
        """Return which extreme comes first; what leaves the account less where neither is the adverse one."""
        known = self._desk.falls_first(symbol)
        if known is not None:
            return known
        worth = {}
        for falls_first in (True, False):
            trial = self._desk.rehearsal()
            candle = Candle.of(self._bars[symbol], bar)
            copies = [trial.orders[order.id] for order in orders]
            followed = self._followed_until(symbol)
            CandleWalk(candle, trial, copies, followed=followed, rank=self._rank).from_open(falls_first)
            worth[falls_first] = trial.worth(symbol, candle.close)
        if worth[True] == worth[False]:
            return min(orders, key=self._rank).side == "buy"
        return worth[True] < worth[False]

    def _follow(self, order: Order, end: int) -> None:
        """Let a trailing stop follow the whole candles before a bar, none of which reaches it."""
        if not rule_of(order).trails:
            return
        bars = self._bars[order.symbol]
        start = self._followed.get(order.id, end)
        follow(order, bars, start, min(end, _whole_bars(bars)), self._desk.market(order.symbol))
        self._followed[order.id] = max(start, end)

    def _schedule(self, order: Order, start: int, *, is_open: bool = False) -> None:
        """Find where something may happen to an order next.

        Args:
            order: it is open.
            start: index of the first bar that may reach it.
            is_open: that bar's open is done with.
        """
        bars = self._bars[order.symbol]
        trails = order.trailing_percent is not None and rule_of(order).trails
        find = self._next_of_trailing if trails else self._next
        bar, stage = find(order, bars, start, is_open)
        if bar is None:
            self._place_of.pop(order.id, None)
            return
        time = (bars.opened if stage is _Stage.OPEN else bars.closed).item(bar)
        place = (time, stage, order.symbol, bar)
        self._place_of[order.id] = place
        if place not in self._coming:
            self._coming[place] = []
            heapq.heappush(self._places, place)
        self._coming[place].append(order)

    def _next(self, order: Order, bars: Bars, start: int, is_open: bool) -> tuple[int | None, _Stage]:
        finder = self._finders[order.symbol]
        while True:
            touch = finder.find(order, start, order.created_at)
            if order.cancel_policy is not None:
                exits = (finder.find(one, start, order.created_at) for one in ending_exits(order))
                touch = min((one for one in (touch, *exits) if one is not None), default=None)
            if touch is None:
                return None, _Stage.CANDLE
            bar, opened = touch.bar, bars.opened.item(touch.bar)
            is_new = not is_open or bar > start
            is_whole = order.created_at <= opened and order.stop_since <= opened
            if is_new and is_whole and not touch.after_open:
                return bar, _Stage.OPEN
            if opened < bars.closed.item(bar):
                return bar, _Stage.CANDLE
            start, is_open = bar + 1, False

    def _next_of_trailing(
        self, order: Order, bars: Bars, start: int, is_open: bool
    ) -> tuple[int | None, _Stage]:
        since = max(order.created_at, self._followed_until(order.symbol))
        start = self._followed.setdefault(order.id, max(start, bars.first_since(since)))
        if start < len(bars) and bars.opened[start] < since:
            return start, _Stage.CANDLE
        bar = first_possible(order, bars, start, self._desk.market(order.symbol))
        if bar is None:
            return None, _Stage.CANDLE
        if (not is_open or bar > start) and order.stop_since <= bars.opened[bar]:
            return bar, _Stage.OPEN
        return (bar, _Stage.CANDLE) if bars.opened[bar] < bars.closed[bar] else (None, _Stage.CANDLE)


def _whole_bars(bars: Bars) -> int:
    """Return how many of the bars are candles: what comes after them is the price of one instant."""
    return int((bars.opened < bars.closed).sum())
