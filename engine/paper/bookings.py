"""Bookings: what orders lock and what fills change, on spot; futures have their own in `futures`."""

from __future__ import annotations

from typing import Protocol

from engine.market import Market
from engine.paper.fills import Fill, balance_changes, required_lock
from engine.paper.ledger import Ledger, Lock
from engine.state import Fee, Order
from engine.types import Amount


class Booking(Protocol):
    """How one kind of market touches the ledger."""

    def lock(self, order: Order, market: Market, remaining: Amount) -> Lock | None:
        """Return what an open order keeps from being used elsewhere."""
        ...

    def tradable(self, order: Order) -> Amount:
        """Return how much of what is left of an order can still trade, in base."""
        ...

    def fill(self, order: Order, market: Market, amount: Amount, fill: Fill, fee: Fee) -> None:
        """Book a fill of an order, whose lock becomes what is left of it.

        Raises:
            OperatorError: `not_enough_funds`; nothing has changed then.
        """
        ...


class SpotBooking:
    """Two assets change hands."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def lock(self, order: Order, market: Market, remaining: Amount) -> Lock | None:
        """Return what an open order locks; one that waits for its stop price locks nothing."""
        return required_lock(market, order, remaining)

    def tradable(self, order: Order) -> Amount:
        """Return all that is left of the order."""
        return order.remaining

    def fill(self, order: Order, market: Market, amount: Amount, fill: Fill, fee: Fee) -> None:
        """Exchange base for quote, or the other way round, and pay the fee."""
        left = order.remaining - amount
        keep = self.lock(order, market, left) if left else None
        self._ledger.fill(order.id, balance_changes(market, order.side, amount, fill.price, fee), keep)
