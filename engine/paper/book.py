"""`PaperBook`: the open orders of a paper account, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from engine.errors import ActionStatus, ConfigurationError, DslError, OperatorError
from engine.market import Market
from engine.money import ZERO, exact
from engine.orders import (
    check_ceilings,
    crosses,
    is_reached,
    lives_alone,
    opened_exits,
    react,
    rule_of,
)
from engine.paper.bookings import Booking, SpotBooking
from engine.paper.fills import Fill, fee_of
from engine.paper.futures import FuturesBooking, profit
from engine.paper.ledger import Ledger, Lock
from engine.state import Fee, Order, OrderStatus
from engine.types import Amount, OrderId, Price, Symbol, Timestamp

Record = Callable[[Order, Amount, Fill, Fee], None]
"""Notes a fill of an order: how much of it, how, and what it cost."""


@dataclass(slots=True)
class PaperBook:
    """The open orders and the ledger behind them.

    Attributes:
        ledger: what is held, and what the open orders lock of it.
        market: gives the trading rules of a symbol.
        record: told of every fill.
        futures: the positions of symbols that are futures.
        spot: how fills of the other symbols change the ledger.
        orders: the open orders by id, oldest first.
        ended: orders that left the book without a fill and without their owner's asking.
    """

    ledger: Ledger
    market: Callable[[Symbol], Market]
    record: Record
    futures: FuturesBooking
    spot: Booking = field(init=False)
    orders: dict[OrderId, Order] = field(default_factory=dict)
    ended: list[Order] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.spot = SpotBooking(self.ledger)

    def restore(self, orders: Iterable[Order]) -> None:
        """Take in stored open orders; each locks again what it still needs.

        Raises:
            ConfigurationError: the stored totals are too small for the stored orders.
        """
        for stored in orders:
            order = stored.model_copy()
            try:
                self._lock(order)
            except DslError as error:
                raise ConfigurationError(
                    f"the stored account cannot hold the stored order {order.id} ({order.side} "
                    f"{order.amount} {order.symbol}): {error.message}",
                    code="inconsistent_portfolio",
                ) from error
            self.orders[order.id] = order

    def enter(self, order: Order, mark: Price, at: Timestamp) -> Iterable[Order]:
        """Let a new order take from the book, rest in it, or end, as its type and time in force say.

        Args:
            order: it is not in the book yet.
            mark: the market's price.
            at: UNIX seconds.

        Returns:
            The orders that rest in the book because of it, itself included.

        Raises:
            OperatorError: `not_enough_funds`; `invalid_order` for a post-only order that would take.
        """
        takes = order.type == "market" or crosses(order, mark)
        if takes and order.time_in_force == "PO":
            raise OperatorError(
                ActionStatus.INVALID_ORDER,
                f"post-only {order.side} at {order.price} would take from the book of {order.symbol}, "
                f"which stands at {mark}",
            )
        self._lock(order)
        self.orders[order.id] = order
        if takes:
            price = order.price if order.type == "market" else mark
            return self.fill(order, Fill(price or mark, at, "taker"), mark)
        if order.time_in_force in ("IOC", "FOK"):
            self.close(order, "canceled")
            return ()
        return (order,)

    def reach(self, order: Order, fill: Fill, mark: Price) -> Iterable[Order]:
        """Carry out an order that the price has reached.

        An order that cannot be paid any more leaves the book as `rejected`.

        Returns:
            The orders that appeared, and those that wait for another price now.
        """
        if order is self.guard(order.symbol):
            self._liquidate(order, fill)
            return ()
        try:
            if rule_of(order).becomes_limit:
                return self._become_limit(order, fill, mark)
            return self.fill(order, fill, mark)
        except OperatorError:
            self.drop(order, "rejected")
            return ()

    def guard(self, symbol: Symbol) -> Order | None:
        """Return the order with which the exchange would liquidate a symbol's futures position."""
        return self.futures.guard(symbol)

    def fund(self, symbol: Symbol, rate: Decimal, mark: Price, at: Timestamp) -> Iterable[Order]:
        """Book a funding of the symbol's position.

        Returns:
            The order that would liquidate it, which has another price now.
        """
        if not self.futures.fund(symbol, rate, mark, at):
            return ()
        guard = self.guard(symbol)
        return () if guard is None else (guard,)

    def falls_first(self, symbol: Symbol) -> bool | None:
        """Whether falling prices are adverse: to a position, else to what the open entries would be."""
        if self.market(symbol).kind == "spot":
            return True
        held = self.futures.position(symbol)
        if held is not None:
            return held.side == "long"
        sides = {order.side for order in self._of(symbol) if not order.reduce_only}
        return None if len(sides) > 1 else sides != {"sell"}

    def rehearsal(self) -> PaperBook:
        """Return a copy whose fills nobody is told of."""
        ledger = self.ledger.copy()
        copy = PaperBook(ledger, self.market, lambda *_: None, self.futures.copy(ledger))
        copy.orders = {name: order.model_copy() for name, order in self.orders.items()}
        return copy

    @exact
    def worth(self, symbol: Symbol, price: Price) -> Decimal:
        """Return the value in quote of what is held in the assets of a symbol, at a price."""
        market = self.market(symbol)
        quote = self.ledger.total(market.quote)
        if market.kind == "spot":
            return quote + self.ledger.total(market.base) * price
        held = self.futures.position(symbol)
        return quote + (ZERO if held is None else max(-held.margin, profit(held, held.amount, price)))

    def fill(self, order: Order, fill: Fill, mark: Price, amount: Amount | None = None) -> Iterable[Order]:
        """Book a fill of an order, or of a part of it; the orders of its group react, its exits appear.

        Args:
            order: an open order.
            fill: price, time and liquidity.
            mark: the market's price by then, which exits may take.
            amount: in base; all that is left of the order by default.

        Returns:
            The orders that appeared, and those that wait for another price now.

        Raises:
            OperatorError: `not_enough_funds`, for orders that locked nothing.
        """
        market = self.market(order.symbol)
        booking = self._booking(market)
        tradable = booking.tradable(order)
        if not tradable:
            self.drop(order, "canceled")
            return ()
        if tradable < order.remaining:
            order.amount = order.filled + tradable
        amount = order.remaining if amount is None else amount
        reaction = react(order, amount, self._group_of(order), fill.time)
        for other in reaction.ended:
            self.drop(other, "canceled")
        fee = fee_of(market, order.side, amount, fill)
        booking.fill(order, market, amount, fill, fee)
        order.filled += amount
        order.fee = _added(order.fee, fee)
        self.record(order, amount, fill, fee)
        changed = [*reaction.moved, *self._after_position_change(order.symbol)]
        if order.remaining:
            return changed
        self.close(order, "closed")
        return [*changed, *self._open_exits(order, mark, fill.time)]

    def cancel(self, orders: Sequence[Order]) -> Sequence[OrderId]:
        """Take orders off the book as their owner asks; what cannot live without them goes too."""
        cancelled = {order.id: order for order in orders}
        for order in orders:
            if not lives_alone(order):
                cancelled |= {other.id: other for other in self._group_of(order)}
        for order in cancelled.values():
            self.close(order, "canceled")
        return list(cancelled)

    def drop(self, order: Order, status: OrderStatus) -> None:
        """Take an order off the book that its owner still counts on, and keep it to be told of."""
        self.close(order, status)
        self.ended.append(order)

    def close(self, order: Order, status: OrderStatus) -> None:
        """Take an order off the book; what it still locks is available again."""
        order.status = status
        self.ledger.release(order.id)
        del self.orders[order.id]

    def lock_again(self, symbol: Symbol) -> None:
        """Bring the locks of a symbol's orders in step with its position; what cannot be paid is rejected."""
        for order in self._of(symbol):
            self.ledger.release(order.id)
            try:
                self._lock(order)
            except OperatorError:
                self.drop(order, "rejected")

    def _after_position_change(self, symbol: Symbol) -> Iterable[Order]:
        """Return the order that would liquidate a futures position as it is now."""
        if self.market(symbol).kind == "spot":
            return ()
        self.lock_again(symbol)
        guard = self.guard(symbol)
        return () if guard is None else (guard,)

    def _liquidate(self, guard: Order, fill: Fill) -> None:
        """Close a position at the price at which its margin is used up, and all that would reduce it."""
        fee = self.futures.liquidate(guard.symbol, fill.time)
        price = guard.stop_price or fill.price
        guard.filled, guard.status = guard.amount, "closed"
        self.record(guard, guard.amount, Fill(price, fill.time, "taker"), fee)
        for order in [one for one in self._of(guard.symbol) if one.reduce_only]:
            self.drop(order, "canceled")
        self.lock_again(guard.symbol)

    def _booking(self, market: Market) -> Booking:
        return self.futures if market.kind == "future" else self.spot

    def _of(self, symbol: Symbol) -> list[Order]:
        return [order for order in self.orders.values() if order.symbol == symbol]

    def _group_of(self, order: Order) -> list[Order]:
        if order.group is None:
            return []
        return [one for one in self.orders.values() if one.group == order.group and one is not order]

    def _open_exits(self, entry: Order, mark: Price, at: Timestamp) -> Iterable[Order]:
        """Let an entry's exits appear; those that the exchange does not take are `rejected`.

        All of them stand in the book before the first of those fills whose price has been passed, so that the
        others can react.
        """
        if not entry.chained:
            return ()
        market = self.market(entry.symbol)
        entry.chained = opened_exits(entry, market, at)
        for order in entry.chained:
            try:
                check_ceilings([order], self._of(market.symbol), market)
                self._lock(order)
            except OperatorError:
                order.status = "rejected"
                self.ended.append(order)
            else:
                self.orders[order.id] = order
        changed: list[Order] = []
        for order in entry.chained:
            if order.status == "open" and is_reached(order, mark):
                changed += self._take_at_once(order, mark, at)
        return [*changed, *(order for order in entry.chained if order.status == "open")]

    def _take_at_once(self, order: Order, mark: Price, at: Timestamp) -> Iterable[Order]:
        """Carry out an exit whose price has been passed, and what it moves to such a price."""
        changed = list(self.reach(order, Fill(mark, at, "taker"), mark))
        for moved in list(changed):
            if moved.status == "open" and is_reached(moved, mark):
                changed += self._take_at_once(moved, mark, at)
        return changed

    def _become_limit(self, order: Order, fill: Fill, mark: Price) -> Iterable[Order]:
        order.stop_price = None
        order.created_at = fill.time
        self._lock(order)
        if crosses(order, fill.price):
            return self.fill(order, fill, mark)
        return (order,)

    def needs(self, order: Order) -> Lock | None:
        """Return what an order locks while it is open."""
        market = self.market(order.symbol)
        return self._booking(market).lock(order, market, order.remaining)

    def _lock(self, order: Order) -> None:
        lock = self.needs(order)
        if lock is not None:
            self.ledger.lock(order.id, lock)


@exact
def _added(before: Fee | None, fee: Fee) -> Fee:
    """Return all that an order has paid; an order pays in one asset."""
    paid = before.cost if before else ZERO
    return Fee(cost=paid + fee.cost, currency=fee.currency).carrying(before)
