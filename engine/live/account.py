"""`LiveAccount`: an account on a real exchange as scripts see it; what they ask for is planned, not sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import Any

from engine.effects import IntentDraft, Planned
from engine.errors import ActionStatus, OperatorError
from engine.exchanges import Capabilities
from engine.live.books import dump_order, named
from engine.market import MarketData
from engine.money import ZERO
from engine.orders import (
    ALL_ORDERS,
    TAKE_PROFITS_FIRST,
    OrderFilter,
    OrderRequest,
    check_ceilings,
    check_kind,
    described,
    lives_alone,
    new_orders,
    order_of,
    reducible,
    spot_has_no_leverage,
)
from engine.state import EffectKind, ExchangeAccountElements, Order, Position, Trade, Transaction
from engine.types import Asset, EffectKey, OrderId, Price, Symbol, Timestamp
from engine.values import format_decimal


class LiveAccount:
    """The account as the exchange's books had it when the invocation looked.

    Args:
        elements: the account; inactive orders, which the exchange does not know, are forgotten in it.
        data: the market that orders are placed in.
        capabilities: of the exchange, for client order ids and withdrawals.
        now: market time, UNIX seconds.
        ended: orders that left the book lately, as far as they are still to be told of.
    """

    def __init__(
        self,
        elements: ExchangeAccountElements,
        *,
        data: MarketData,
        capabilities: Capabilities,
        now: Timestamp,
        ended: Sequence[Order] = (),
    ) -> None:
        self._elements = elements
        self._data = data
        self._capabilities = capabilities
        self._now = now
        self._ended = ended
        self._drafts: list[IntentDraft] = []

    # Reading

    @property
    def effects(self) -> int:
        """Nothing: what is planned here happens in a later invocation, and is counted there."""
        return 0

    def assets(self) -> Collection[Asset]:
        """Return the assets that the account holds."""
        return self._elements.portfolio.content.keys()

    def total(self, asset: Asset) -> Decimal:
        """Return the holdings of an asset, locked ones included."""
        held = self._elements.portfolio.content.get(asset)
        return held.total if held is not None else ZERO

    def available(self, asset: Asset) -> Decimal:
        """Return the holdings of an asset that no open order locks, whoever placed it."""
        held = self._elements.portfolio.content.get(asset)
        return held.available if held is not None else ZERO

    def open_orders(self, wanted: OrderFilter = ALL_ORDERS) -> Sequence[Order]:
        """Return the automation's matching open orders, oldest first; others' orders are never among them."""
        return [order for order in self._elements.orders.open_orders if wanted.matches(order)]

    def order(self, symbol: Symbol, order_id: OrderId) -> Order | None:
        """Return an order, or what is left to tell of it: how it ended, or its fills."""
        orders = self._elements.orders
        known = [*orders.open_orders, *orders.inactive_orders, *orders.closing_orders, *self._ended]
        found = (one for order in known for one in (order, *order.chained))
        match = next((one for one in found if one.symbol == symbol and _is_called(one, order_id)), None)
        fills = (one for one in self._elements.trades if (one.symbol, one.order_id) == (symbol, order_id))
        return match or order_of(list(fills))

    def trades(self) -> Sequence[Trade]:
        """Return the automation's newest trades, oldest first."""
        return self._elements.trades

    def position(self, symbol: Symbol) -> Position | None:
        """Return the open futures position of a symbol."""
        held = self._position(symbol)
        return held if held is not None and held.amount else None

    def leverage(self, symbol: Symbol) -> Decimal:
        """Return how many times its margin a futures position may be worth; 1 when nobody said otherwise."""
        held = self._position(symbol)
        return held.leverage if held is not None else Decimal(1)

    def execution_price(self, request: OrderRequest) -> Price:
        """Return the limit price, else the stop price, else what the other side of the book asks for now."""
        for known in (request.price, request.stop_price):
            if known is not None:
                return known
        mark = self._data.mark_price(request.symbol)
        if request.symbol not in self._data.priced_symbols():
            return mark
        ticker = self._data.ticker(request.symbol)
        return (ticker.ask if request.side == "buy" else ticker.bid) or mark

    # Planning

    def place(self, request: OrderRequest, key: Callable[[str], str]) -> Planned:
        """Plan an order, split where the market demands it, with its exits under names of their own.

        Raises:
            OperatorError: `invalid_order`, `unsupported_stop_order`, `symbol_incompatible_with_account`.
        """
        market = self._data.market(request.symbol)
        check_kind(request, market, reducible(self.position(request.symbol), request.side))
        legs = new_orders(request, self.execution_price(request), market, key, self._now)
        check_ceilings(legs, self.open_orders(OrderFilter(symbol=market.symbol)), market)
        planned = [self._named(order, request.exits.swap_strategy == TAKE_PROFITS_FIRST) for order in legs]
        return self._plan(
            "create_order", [(str(leg), dump_order(order)) for leg, order in enumerate(planned)], key
        )

    def cancel(self, wanted: OrderFilter, key: Callable[[str], str]) -> Sequence[OrderId] | Planned:
        """Plan the cancellation of the matching open orders, and of what cannot live without them.

        Inactive orders are only forgotten: at once, or with the order of their group whose place they would
        take. Where nothing else matches, that is all there is to do.

        Raises:
            OperatorError: `order_not_found` when none matches.
        """
        orders = self._elements.orders
        inactive = [order for order in orders.inactive_orders if wanted.matches(order)]
        matching = [*self.open_orders(wanted), *inactive]
        if not matching:
            raise OperatorError(ActionStatus.ORDER_NOT_FOUND, f"no open order{described(wanted)}")
        bound = {order.group for order in matching if not lives_alone(order)}
        chosen = {order.id for order in matching}
        gone = [order for order in orders.open_orders if order.id in chosen or order.group in bound]
        waiting = [one for one in orders.inactive_orders if one.id in chosen or one.group in bound]
        groups = {order.group for order in gone} - {None}
        forgotten = {order.id for order in waiting if order.group not in groups}
        orders.inactive_orders = [one for one in orders.inactive_orders if one.id not in forgotten]
        if not gone:
            return [order.id for order in inactive]
        legs = [(str(leg), _cancelling(order, waiting)) for leg, order in enumerate(gone)]
        return self._plan("cancel_order", legs, key)

    def set_leverage(self, symbol: Symbol, leverage: Decimal, key: Callable[[str], str]) -> Planned:
        """Plan a change of the leverage of a futures symbol.

        Raises:
            OperatorError: `incompatible_trading_type` on spot.
        """
        if self._data.market(symbol).kind != "future":
            raise spot_has_no_leverage(symbol)
        params = {"symbol": symbol, "leverage": format_decimal(leverage)}
        return self._plan("set_leverage", [("0", params)], key)

    def withdraw(
        self,
        asset: Asset,
        amount: Decimal,
        *,
        network: str,
        address: str,
        tag: str | None,
        key: Callable[[str], str],
    ) -> Planned:
        """Plan a withdrawal.

        Raises:
            OperatorError: `disabled_funds_transfer_error` where the exchange cannot tell whether a withdrawal
                happened; `not_enough_funds`.
        """
        if not self._capabilities.withdrawal_ids:
            raise OperatorError(
                ActionStatus.DISABLED_FUNDS_TRANSFER_ERROR,
                "this exchange cannot be asked whether a withdrawal happened, so a lost answer could send it "
                "twice; withdraw on its own site",
            )
        if amount > self.available(asset):
            raise OperatorError(
                ActionStatus.NOT_ENOUGH_FUNDS,
                f"a withdrawal of {format_decimal(amount)} {asset} is more than the "
                f"{format_decimal(self.available(asset))} available",
            )
        transaction = Transaction(
            txid=self._capabilities.client_order_id(EffectKey(key("0"))),
            kind="withdrawal",
            asset=asset,
            amount=amount,
            network=network,
            address_to=address,
            tag=tag,
            timestamp=self._now,
        )
        return self._plan(
            "withdraw", [("0", transaction.model_dump(mode="json", exclude_defaults=True))], key
        )

    def take_drafts(self) -> Sequence[IntentDraft]:
        """Return what was planned since the last call of this method."""
        drafts, self._drafts = self._drafts, []
        return drafts

    # Inside

    def _position(self, symbol: Symbol) -> Position | None:
        return next((one for one in self._elements.positions if one.symbol == symbol), None)

    def _named(self, order: Order, profits_first: bool) -> Order:
        """Return an order as it is sent, with the exits that are placed first in front."""
        chained = [self._as_sent(one) for one in order.chained]
        if profits_first:
            chained.sort(key=lambda one: one.stop_price is not None)
        return self._as_sent(order).model_copy(update={"chained": chained})

    def _as_sent(self, order: Order) -> Order:
        return named(order, EffectKey(order.id), self._capabilities)

    def _plan(
        self, kind: EffectKind, legs: Sequence[tuple[str, dict[str, Any]]], key: Callable[[str], str]
    ) -> Planned:
        drafts = [IntentDraft(EffectKey(key(leg)), leg, kind, params) for leg, params in legs]
        self._drafts += drafts
        return Planned(tuple(draft.key for draft in drafts))


def _is_called(order: Order, name: str) -> bool:
    return name in (order.id, order.client_order_id)


def _cancelling(order: Order, waiting: Sequence[Order]) -> dict[str, Any]:
    """Return the parameters of a cancellation, with what of the order's group is forgotten by it."""
    params = {"id": order.id, "client_order_id": order.client_order_id, "symbol": order.symbol}
    forgets = [one.id for one in waiting if order.group is not None and one.group == order.group]
    return {**params, "forgets": forgets} if forgets else params
