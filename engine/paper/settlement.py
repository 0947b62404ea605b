"""Settlement: what became of the open orders while nobody looked, in the order in which it happened."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from engine.market import NO_FUNDING, Bars, Funding, FundingRate, Market
from engine.money import to_decimal
from engine.orders import (
    START,
    BarMoment,
    Ending,
    Phase,
    Touch,
    first_ending,
    first_touch,
    lies_beyond,
    rule_of,
    trail,
)
from engine.paper.fills import Fill
from engine.state import Order, OrderStatus
from engine.types import OrderId, Price, Symbol, Timestamp


class Desk(Protocol):
    """The account, as settlement acts on it."""

    def market(self, symbol: Symbol) -> Market:
        """Return the trading rules of a symbol."""
        ...

    def reach(self, order: Order, fill: Fill, mark: Price) -> Iterable[Order]:
        """Carry out an order that the price has reached.

        Args:
            order: an open order.
            fill: at which price, when and how.
            mark: the market's price by then.

        Returns:
            The orders that appeared, and those that wait for another price now.
        """
        ...

    def drop(self, order: Order, status: OrderStatus) -> None:
        """Take an order off the book unfilled."""
        ...

    def fund(self, symbol: Symbol, rate: Decimal, mark: Price, at: Timestamp) -> Iterable[Order]:
        """Book a funding of the symbol's position, if there is one.

        Returns:
            The orders that have another place among the others now.
        """
        ...

    def guard(self, symbol: Symbol) -> Order | None:
        """Return the order with which the exchange would liquidate a symbol's futures position."""
        ...


@dataclass(frozen=True, slots=True)
class FundingDue:
    """That holders of a future pay each other: when, after which bar, and at which price."""

    symbol: Symbol
    rate: Decimal
    mark: Price
    time: Timestamp
    after: BarMoment


def settle(
    orders: Sequence[Order],
    bars: Mapping[Symbol, Bars],
    desk: Desk,
    *,
    settled_at: Timestamp = 0,
    funding: Funding = NO_FUNDING,
) -> None:
    """Carry out what the price did to some open orders, oldest first, and the funding of positions.

    Within a bar the low comes first, then the high; of a bar that an order did not see whole, the close. At
    one moment, the older order goes first. Trailing stops end where the price left them. Funding comes after
    the bars that ended by its time and before all others, so that it meets the positions held then.

    Args:
        orders: open orders, oldest first.
        bars: what the price of their symbols did since the last settlement.
        desk: the account.
        settled_at: when that was; trailing stops were brought up to date then.
        funding: what became known of it since, by symbol.
    """
    queue = _Queue(bars, desk, settled_at)
    for order in orders:
        queue.add(order)
    for symbol, rates in funding.items():
        for rate in rates:
            queue.add_funding(symbol, rate)
    while (event := queue.pop()) is not None:
        if isinstance(event, FundingDue):
            moved, at = desk.fund(event.symbol, event.rate, event.mark, event.time), event.after
        else:
            moved, at = _carry_out(*event, bars, desk), event[1].at
        for order in moved:
            queue.add(order, at)
    for order, stop in queue.trailed():
        order.stop_price = stop


def _carry_out(
    order: Order, what: Touch | Ending, bars: Mapping[Symbol, Bars], desk: Desk
) -> Iterable[Order]:
    """Let an order fill or end; return those that appeared or wait for another price now."""
    if isinstance(what, Ending):
        desk.drop(order, what.status)
        return ()
    bar, symbol_bars = what.at.bar, bars[order.symbol]
    fill = Fill(what.price, float(symbol_bars.closed[bar]), what.liquidity)
    return desk.reach(order, fill, to_decimal(float(symbol_bars.close[bar])))


_Event = tuple[Order, Touch | Ending] | FundingDue

_Key = tuple[Timestamp, int, Phase, int, int, int]
"""When the bar closes, which one it is, where in it, on which side of a liquidation the order is, the order's
seniority, and a number for uniqueness."""


class _Queue:
    """What is going to happen to the open orders, earliest first, as far as it is known by now."""

    def __init__(self, bars: Mapping[Symbol, Bars], desk: Desk, settled_at: Timestamp) -> None:
        self._bars: Final = bars
        self._desk: Final = desk
        self._settled_at: Final = settled_at
        self._events: list[tuple[_Key, _Event]] = []
        self._ranks: dict[OrderId, int] = {}
        self._generation: dict[OrderId, int] = {}
        self._trailed: list[tuple[Order, Price]] = []
        self._serial = 0

    def add(self, order: Order, moment: BarMoment = START) -> None:
        """Take an order in, or in again after its price changed; a new one sees later bars only."""
        bars = self._bars.get(order.symbol)
        if bars is None or order.status != "open":
            return
        if order.id not in self._ranks:
            self._ranks[order.id] = len(self._ranks)
            moment = BarMoment(moment.bar, Phase.CLOSE)
        self._generation[order.id] = self._serial
        touch = self._touch(order, bars, moment)
        ending = first_ending(order, bars, moment)
        for what in (touch, ending):
            if what is not None:
                self._push(order, what, float(bars.closed[what.at.bar]))

    def add_funding(self, symbol: Symbol, funding: FundingRate) -> None:
        """Take a funding in; one that became known late happens where the last settlement ended."""
        bars = self._bars.get(symbol)
        if bars is None:
            return
        time = max(funding.time, self._settled_at)
        ended = int(bars.closed.searchsorted(time, side="right"))
        mark = to_decimal(bars.price_at(time)) if funding.mark_price is None else funding.mark_price
        due = FundingDue(symbol, funding.rate, mark, time, BarMoment(ended - 1, Phase.CLOSE))
        self._put(time, BarMoment(len(bars), Phase.OPEN), 0, 0, due)

    def pop(self) -> _Event | None:
        """Return what happens next: a funding, or to an order that is open and waits for the same price."""
        while self._events:
            (*_, serial), event = heapq.heappop(self._events)
            if isinstance(event, FundingDue):
                return event
            order, _ = event
            if order.status == "open" and serial >= self._generation[order.id]:
                return event
        return None

    def trailed(self) -> Iterable[tuple[Order, Price]]:
        """Return the trailing stops that are still open, and where they stand now."""
        return [(order, stop) for order, stop in self._trailed if order.status == "open"]

    def _touch(self, order: Order, bars: Bars, moment: BarMoment) -> Touch | None:
        if not rule_of(order).trails:
            return first_touch(order, bars, moment)
        market = self._desk.market(order.symbol)
        touch, stop = trail(order, bars, max(order.created_at, self._settled_at), market.floor_price)
        self._trailed.append((order, stop))
        return touch

    def _push(self, order: Order, what: Touch | Ending, closed: Timestamp) -> None:
        self._put(closed, what.at, self._side_of_liquidation(order), self._ranks[order.id], (order, what))

    def _put(self, time: Timestamp, at: BarMoment, side: int, rank: int, event: _Event) -> None:
        heapq.heappush(self._events, ((time, at.bar, at.phase, side, rank, self._serial), event))
        self._serial += 1

    def _side_of_liquidation(self, order: Order) -> int:
        """Return 0 for what the price passes before a liquidation, 1 for that, 2 for what lies beyond it."""
        guard = self._desk.guard(order.symbol)
        if guard is None or lies_beyond(guard, order):
            return 0
        return 1 if order is guard else 2 * lies_beyond(order, guard)
