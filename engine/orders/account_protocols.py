"""The seam of the account: what is asked for, and who acts on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

from engine.effects import Applied, IntentDraft, Planned
from engine.orders.exits import NO_EXITS, Exits
from engine.state import Order, OrderType, Position, Side, TimeInForce, Trade, Transaction
from engine.types import Amount, Asset, OrderId, Price, Symbol


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as asked for; amounts in base, prices in quote per base.

    Attributes:
        price: limit price; None for orders that trade at the market's price.
        stop_price: price that a stop or a take-profit waits for.
        trailing_percent: how far a trailing stop stays behind the best price.
        exits: what hangs on the order and appears when it fills.
        cancel_policy: what ends it early, in the form of `Order.cancel_policy`.
    """

    type: OrderType
    side: Side
    symbol: Symbol
    amount: Amount
    price: Price | None = None
    reduce_only: bool = False
    tag: str | None = None
    time_in_force: TimeInForce = "GTC"
    stop_price: Price | None = None
    trailing_percent: Decimal | None = None
    exits: Exits = NO_EXITS
    cancel_policy: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which open orders are meant; None matches all."""

    symbol: Symbol | None = None
    side: Side | None = None
    tag: str | None = None
    ids: Collection[OrderId] | None = None

    def matches(self, order: Order) -> bool:
        """Whether the order is meant."""
        return (
            (self.symbol is None or order.symbol == self.symbol)
            and (self.side is None or order.side == self.side)
            and (self.tag is None or order.tag == self.tag)
            and (self.ids is None or order.id in self.ids)
        )


ALL_ORDERS: Final = OrderFilter()


class Account(Protocol):
    """The exchange account of the running automation."""

    @property
    def effects(self) -> int:
        """How many orders were placed or cancelled in this invocation."""
        ...

    def assets(self) -> Collection[Asset]:
        """Return the assets that the account holds."""
        ...

    def total(self, asset: Asset) -> Decimal:
        """Return the holdings of an asset, locked ones included; 0 for an unknown one."""
        ...

    def available(self, asset: Asset) -> Decimal:
        """Return the holdings of an asset that no open order locks; 0 for an unknown one."""
        ...

    def open_orders(self, wanted: OrderFilter = ALL_ORDERS) -> Sequence[Order]:
        """Return the automation's open orders."""
        ...

    def order(self, symbol: Symbol, order_id: OrderId) -> Order | None:
        """Return an order of the automation, open or not any more, as far back as the account remembers."""
        ...

    def trades(self) -> Sequence[Trade]:
        """Return the newest trades of the automation, oldest first."""
        ...

    def position(self, symbol: Symbol) -> Position | None:
        """Return the futures position of a symbol."""
        ...

    def leverage(self, symbol: Symbol) -> Decimal:
        """Return how many times its margin a futures position of a symbol may be worth."""
        ...

    def set_leverage(self, symbol: Symbol, leverage: Decimal, key: Callable[[str], str]) -> Applied | Planned:
        """Change the leverage of a futures symbol.

        Raises:
            OperatorError: `not_enough_funds`; `incompatible_trading_type` on spot.
        """
        ...

    def execution_price(self, request: OrderRequest) -> Price:
        """Return the price that the order's amount is counted at: its limit, its stop, or the price now."""
        ...

    def place(self, request: OrderRequest, key: Callable[[str], str]) -> Sequence[Order] | Planned:
        """Place an order, split where the market demands it.

        Args:
            request: what to order; amount and price are floored to the market's ticks.
            key: gives the deterministic id of each leg.

        Returns:
            The orders as they are now; a filled one has status `closed`. `Planned` on a live account.

        Raises:
            OperatorError: `not_enough_funds`, `invalid_order`, `unsupported_stop_order`; nothing was placed
                then.
        """
        ...

    def withdraw(
        self,
        asset: Asset,
        amount: Decimal,
        *,
        network: str,
        address: str,
        tag: str | None,
        key: Callable[[str], str],
    ) -> Transaction | Planned:
        """Send funds to an address.

        Args:
            asset: what to send.
            amount: in units of the asset.
            network: the chain it goes over.
            address: where it goes.
            tag: memo that the address needs.
            key: gives the deterministic id of the transaction.

        Raises:
            OperatorError: `not_enough_funds`; `disabled_funds_transfer_error` where the exchange cannot tell
                whether a withdrawal happened.
        """
        ...

    def cancel(self, wanted: OrderFilter, key: Callable[[str], str]) -> Sequence[OrderId] | Planned:
        """Cancel open orders, and what cannot live without them; return the ids.

        Raises:
            OperatorError: `order_not_found` when no open order matches.
        """
        ...

    def take_drafts(self) -> Sequence[IntentDraft]:
        """Return what was planned since the last call of this method; nothing on paper."""
        ...
