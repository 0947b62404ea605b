"""`PaperAccount`: an exchange account that exists only in the automation's state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal

from engine.errors import ActionStatus, ConfigurationError, DslError, OperatorError
from engine.exchange.bars import Bars
from engine.exchange.limits import check_and_adapt
from engine.exchange.market import Market
from engine.exchange.money import ZERO, ceil_to_tick, exact
from engine.exchange.protocols import MarketData, OrderFilter, OrderRequest
from engine.simulation.fills import Fill, balance_changes, fee_of, required_lock
from engine.simulation.ledger import Ledger
from engine.simulation.matching import crosses
from engine.simulation.settlement import settle
from engine.state import Balance, ExchangeAccountElements, Order, Orders, Portfolio, Position, Trade
from engine.state.account import OrderStatus
from engine.types import Amount, Asset, OrderId, Price, Symbol, Timestamp
from engine.values import format_decimal

ALL_ORDERS = OrderFilter()


class PaperAccount:
    """A simulated account, restored from account elements and dumped into new ones.

    Args:
        elements: the stored account; it is not changed.
        data: the market that orders are placed in.
        now: market time, UNIX seconds.
        ids: gives the deterministic id of anything that has a name of its own.
        slippage: share of the price by which market orders fill worse than the mark price.
    """

    def __init__(
        self,
        elements: ExchangeAccountElements,
        *,
        data: MarketData,
        now: Timestamp,
        ids: Callable[[str], str],
        slippage: Decimal = ZERO,
    ) -> None:
        self._elements = elements
        self._data = data
        self._now = now
        self._ids = ids
        self._slippage = slippage
        self._ledger = Ledger({asset: held.total for asset, held in elements.portfolio.content.items()})
        self._open = {order.id: order.model_copy() for order in elements.orders.open_orders}
        self._trades = list(elements.trades)
        self._effects = 0

    # Reading

    @property
    def effects(self) -> int:
        """How many orders were placed or cancelled in this invocation."""
        return self._effects

    def assets(self) -> Collection[Asset]:
        """Return the assets that the account holds."""
        return self._ledger.assets()

    def total(self, asset: Asset) -> Decimal:
        """Return the holdings of an asset, locked ones included."""
        return self._ledger.total(asset)

    def available(self, asset: Asset) -> Decimal:
        """Return the holdings of an asset that no open order locks."""
        return self._ledger.available(asset)

    def open_orders(self, wanted: OrderFilter = ALL_ORDERS) -> Sequence[Order]:
        """Return the matching open orders, oldest first."""
        return [order for order in self._open.values() if wanted.matches(order)]

    def trades(self) -> Sequence[Trade]:
        """Return the account's trades, oldest first."""
        return self._trades

    def position(self, symbol: Symbol) -> Position | None:
        """Return the stored position of a symbol."""
        return next((held for held in self._elements.positions if held.symbol == symbol), None)

    def execution_price(self, request: OrderRequest) -> Price:
        """Return the limit price, or the mark price with slippage."""
        if request.price is not None:
            return request.price
        return self._market_price(self._data.market(request.symbol), request.side == "buy")

    # Acting

    def place(self, request: OrderRequest, key: Callable[[str], str]) -> Sequence[Order]:
        """Place an order, split where the market demands it; all parts or none.

        Raises:
            OperatorError: `not_enough_funds`, `invalid_order`.
        """
        market = self._data.market(request.symbol)
        price = self.execution_price(request)
        parts = check_and_adapt(request.amount, price, market)
        if not parts:
            raise _below_minimum(market, request.amount, price)
        self._check_funds(market, request, parts)
        legs = [
            self._new_order(request, amount, at_price, OrderId(key(str(leg))))
            for leg, (amount, at_price) in enumerate(parts)
        ]
        for order in legs:
            self._enter(order, market)
        self._effects += len(legs)
        return legs

    def cancel(self, wanted: OrderFilter) -> Sequence[OrderId]:
        """Cancel the matching open orders; exactly what they locked is available again.

        Raises:
            OperatorError: `order_not_found` when none matches.
        """
        orders = self.open_orders(wanted)
        if not orders:
            raise OperatorError(ActionStatus.ORDER_NOT_FOUND, f"no open order{_described(wanted)}")
        for order in orders:
            self._close(order, "canceled")
        self._effects += len(orders)
        return [order.id for order in orders]

    def restore_locks(self) -> None:
        """Lock again what the stored open orders lock.

        Raises:
            ConfigurationError: the stored totals are too small for the stored orders.
        """
        for order in self._open.values():
            try:
                self._lock(order, self._data.market(order.symbol))
            except DslError as error:
                raise ConfigurationError(
                    f"the stored account cannot hold the stored order {order.id} ({order.side} "
                    f"{order.amount} {order.symbol}): {error.message}",
                    code="inconsistent_portfolio",
                ) from error

    def settle(self, symbol: Symbol, bars: Bars) -> None:
        """Fill the open orders of a symbol from what its price did since the last invocation."""
        settle(self.open_orders(OrderFilter(symbol=symbol)), bars, self._book)

    def dump(self) -> ExchangeAccountElements:
        """Return the account as elements of the state; assets without holdings are left out."""
        content = {
            asset: Balance(available=self.available(asset), total=self.total(asset))
            for asset in self._ledger.assets()
        }
        return self._elements.model_copy(
            update={
                "portfolio": Portfolio(content=content),
                "orders": Orders(open_orders=list(self._open.values()), settled_at=self._now),
                "trades": self._trades,
            }
        )

    # Inside

    @exact
    def _market_price(self, market: Market, is_buy: bool) -> Price:
        mark = self._data.mark_price(market.symbol)
        if is_buy:
            return ceil_to_tick(mark * (1 + self._slippage), market.price_tick)
        return market.floor_price(mark * (1 - self._slippage))

    @exact
    def _check_funds(
        self, market: Market, request: OrderRequest, parts: Sequence[tuple[Amount, Price]]
    ) -> None:
        locks = [required_lock(market, request.type, request.side, *part) for part in parts]
        needed = [lock for lock in locks if lock is not None]
        if not needed:
            return
        asset, amount = needed[0].asset, sum((lock.amount for lock in needed), ZERO)
        if amount > self.available(asset):
            raise OperatorError(
                ActionStatus.NOT_ENOUGH_FUNDS,
                f"a {request.side} of {format_decimal(request.amount)} {market.base} takes "
                f"{format_decimal(amount)} {asset}, {format_decimal(self.available(asset))} are available",
            )

    def _new_order(self, request: OrderRequest, amount: Amount, price: Price, order_id: OrderId) -> Order:
        return Order(
            id=order_id,
            client_order_id=order_id,
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            amount=amount,
            price=price,
            created_at=self._now,
            tag=request.tag,
            reduce_only=request.reduce_only,
            time_in_force=request.time_in_force,
        )

    def _enter(self, order: Order, market: Market) -> None:
        """Let a new order take from the book, rest in it, or end, as its type and time in force say."""
        mark_price = self._data.mark_price(order.symbol)
        takes = order.type == "market" or crosses(order, mark_price)
        if takes and order.time_in_force == "PO":
            raise OperatorError(
                ActionStatus.INVALID_ORDER,
                f"post-only {order.side} at {order.price} would take from the book of {order.symbol}, "
                f"which stands at {mark_price}",
            )
        self._lock(order, market)
        self._open[order.id] = order
        if takes:
            price = order.price if order.type == "market" else mark_price
            self._book(order, Fill(price or mark_price, self._now, "taker"))
        elif order.time_in_force in ("IOC", "FOK"):
            self._close(order, "canceled")

    def _lock(self, order: Order, market: Market) -> None:
        lock = required_lock(market, order.type, order.side, order.remaining, order.price or ZERO)
        if lock is not None:
            self._ledger.lock(order.id, lock)

    def _book(self, order: Order, fill: Fill) -> Iterable[Order]:
        """Book a fill of the whole order."""
        market = self._data.market(order.symbol)
        amount = order.remaining
        fee = fee_of(market, order.side, amount, fill)
        self._ledger.fill(order.id, balance_changes(market, order.side, amount, fill.price, fee))
        order.filled = order.amount
        order.fee = fee
        self._close(order, "closed")
        self._trades.append(
            Trade(
                id=self._ids(f"trade/{order.id}"),
                order_id=order.id,
                symbol=order.symbol,
                side=order.side,
                type=order.type,
                amount=amount,
                price=fill.price,
                cost=_cost(amount, fill.price),
                fee=fee,
                timestamp=fill.time,
                tag=order.tag,
            )
        )
        return ()

    def _close(self, order: Order, status: OrderStatus) -> None:
        """Take an order off the book; what it still locks is available again."""
        order.status = status
        self._ledger.release(order.id)
        del self._open[order.id]


@exact
def _cost(amount: Amount, price: Price) -> Decimal:
    return amount * price


def _below_minimum(market: Market, amount: Amount, price: Price) -> OperatorError:
    minima = [
        f"{format_decimal(bound)} {asset}"
        for bound, asset in ((market.amount.minimum, market.base), (market.cost.minimum, market.quote))
        if bound
    ]
    return OperatorError(
        ActionStatus.INVALID_ORDER,
        f"{format_decimal(amount)} {market.base} at {format_decimal(price)} is outside what {market.symbol} "
        f"takes{'; the minimum is ' if minima else ''}{' and '.join(minima)}",
    )


def _described(wanted: OrderFilter) -> str:
    words = (("of", wanted.symbol), ("with side", wanted.side), ("with tag", wanted.tag))
    text = "".join(f" {word} {value}" for word, value in words if value is not None)
    return text if wanted.ids is None else f"{text} with id {', '.join(wanted.ids)}"
