"""The seam between settlement and the account that it settles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from engine.market import Market
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
            The orders that wait for another price now.
        """
        ...

    def guard(self, symbol: Symbol) -> Order | None:
        """Return the order with which the exchange would liquidate a symbol's futures position."""
        ...

    def falls_first(self, symbol: Symbol) -> bool | None:
        """Whether falling prices are adverse to what is held of a symbol or would be; None when both are."""
        ...

    def rehearsal(self) -> Rehearsal:
        """Return a copy of the account, on which something can be tried out."""
        ...


class Rehearsal(Desk, Protocol):
    """A copy of an account that nobody else sees."""

    @property
    def orders(self) -> Mapping[OrderId, Order]:
        """Its open orders, which are copies too."""
        ...

    def worth(self, symbol: Symbol, price: Price) -> Decimal:
        """Return the value in quote of what is held in the assets of a symbol, at a price."""
        ...
