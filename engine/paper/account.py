"""`PaperAccount`: an exchange account that exists only in the automation's state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Final

from engine.effects import Applied, IntentDraft
from engine.errors import ActionStatus, DslError, OperatorError
from engine.market import NO_FUNDING, Bars, Funding, Market, MarketData, generic_market
from engine.money import ZERO, exact
from engine.orders import (
    ALL_ORDERS,
    OrderFilter,
    OrderRequest,
    check_ceilings,
    check_kind,
    described,
    new_orders,
    order_of,
    spot_has_no_leverage,
)
from engine.paper.book import PaperBook
from engine.paper.fills import Fill
from engine.paper.futures import FuturesBooking, profit
from engine.paper.ledger import Ledger
from engine.paper.settlement import settle
from engine.state import (
    Balance,
    ExchangeAccountElements,
    Fee,
    Order,
    Orders,
    Position,
    Trade,
    Transaction,
)
from engine.types import Amount, Asset, OrderId, Price, Symbol, Timestamp
from engine.values import format_decimal

ORDER_ID_DIGITS: Final = 16
TRADE_ID_DIGITS: Final = 12
TXID_DIGITS: Final = 16
"""Enough to tell the orders and the newest trades of one account apart; whole keys would fill its state."""


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
        totals = {asset: held.total for asset, held in elements.portfolio.content.items()}
        self._ledger = Ledger(totals)
        self._futures = FuturesBooking(self._ledger, elements.positions, self._market)
        self._book = PaperBook(self._ledger, self._market, self._record, self._futures)
        self._trades = list(elements.trades)
        self._transactions = list(elements.transactions)
        self._settled_candles: Mapping[Symbol, Timestamp] = elements.orders.settled_candles
        self._unsettled_since: dict[Symbol, Timestamp] = {}
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
        return [order for order in self._book.orders.values() if wanted.matches(order)]

    def order(self, symbol: Symbol, order_id: OrderId) -> Order | None:
        """Return an order, or what is left to tell of it: its fills, or how it ended just now."""
        known = [*self._book.orders.values(), *self._book.ended, *self._elements.orders.missing_orders]
        found = (one for order in known for one in (order, *order.chained))
        match = next((one for one in found if (one.symbol, one.id) == (symbol, order_id)), None)
        fills = [one for one in self._trades if (one.symbol, one.order_id) == (symbol, order_id)]
        return match or order_of(fills)

    def trades(self) -> Sequence[Trade]:
        """Return the account's trades, oldest first."""
        return self._trades

    def position(self, symbol: Symbol) -> Position | None:
        """Return the open position of a symbol, its profit counted at the price now."""
        held = self._futures.position(symbol)
        if held is not None:
            held.unrealised_pnl = profit(held, held.amount, self._data.mark_price(symbol))
        return held

    def leverage(self, symbol: Symbol) -> Decimal:
        """Return how many times its margin a futures position may be worth."""
        return self._futures.leverage(symbol)

    def execution_price(self, request: OrderRequest) -> Price:
        """Return the limit price, else the stop price, else the mark price with slippage."""
        for known in (request.price, request.stop_price):
            if known is not None:
                return known
        return self._market_price(self._data.market(request.symbol), request.side == "buy")

    # Acting

    def place(self, request: OrderRequest, key: Callable[[str], str]) -> Sequence[Order]:
        """Place an order, split where the market demands it; all parts or none.

        Raises:
            OperatorError: `not_enough_funds`, `invalid_order`, `unsupported_stop_order`.
        """
        market = self._data.market(request.symbol)
        check_kind(request, market, self._futures.reducible(market.symbol, request.side))
        price = self.execution_price(request)
        legs = new_orders(request, price, market, lambda leg: key(leg)[:ORDER_ID_DIGITS], self._now)
        check_ceilings(legs, self.open_orders(OrderFilter(symbol=market.symbol)), market)
        self._check_funds(market, legs)
        mark = self._data.mark_price(request.symbol)
        for order in legs:
            self._book.enter(order, mark, self._now)
        self._effects += len(legs)
        return legs

    def cancel(self, wanted: OrderFilter, key: Callable[[str], str]) -> Sequence[OrderId]:  # noqa: ARG002
        """Cancel the matching open orders; exactly what they locked is available again.

        Raises:
            OperatorError: `order_not_found` when none matches.
        """
        orders = self.open_orders(wanted)
        if not orders:
            raise OperatorError(ActionStatus.ORDER_NOT_FOUND, f"no open order{described(wanted)}")
        cancelled = self._book.cancel(orders)
        self._effects += len(cancelled)
        return cancelled

    def restore(self) -> None:
        """Take in the stored open orders, which lock their funds again.

        Raises:
            ConfigurationError: the stored totals are too small for the stored orders.
        """
        self._book.restore(self._elements.orders.open_orders)

    @exact
    def settle(self, bars: Mapping[Symbol, Bars], funding: Funding = NO_FUNDING) -> None:
        """Carry out what happened to the open orders and positions since the last invocation.

        Args:
            bars: what the prices of their symbols did.
            funding: of those that are perpetual futures.
        """
        stored = self._elements.orders
        orders = [*self._book.orders.values(), *self._futures.guards()]
        self._settled_candles = settle(
            orders,
            bars,
            self._book,
            now=self._now,
            settled_at=stored.settled_at,
            settled_candles=stored.settled_candles,
            funding=funding,
        )

    def leave(self, symbol: Symbol, settled: Timestamp) -> None:
        """Note that a symbol could not be settled, and until when it was."""
        known = self._settled_candles.get(symbol, settled)
        self._settled_candles = {**self._settled_candles, symbol: min(known, settled)}
        self._unsettled_since[symbol] = settled

    def withdraw(
        self,
        asset: Asset,
        amount: Decimal,
        *,
        network: str,
        address: str,
        tag: str | None,  # noqa: ARG002
        key: Callable[[str], str],
    ) -> Transaction:
        """Send funds away; on paper they arrive at once and free of charge.

        Raises:
            OperatorError: `not_enough_funds`.
        """
        self._ledger.change({asset: -amount})
        sent = Transaction(
            txid=key("0")[:TXID_DIGITS],
            kind="withdrawal",
            asset=asset,
            amount=amount,
            network=network,
            address_to=address,
            timestamp=self._now,
            status="ok",
        )
        self._transactions.append(sent)
        self._effects += 1
        return sent

    def set_leverage(
        self,
        symbol: Symbol,
        leverage: Decimal,
        key: Callable[[str], str],  # noqa: ARG002
    ) -> Applied:
        """Change the leverage of a futures symbol, and with it the margin of its position and orders.

        Raises:
            OperatorError: `not_enough_funds`; `incompatible_trading_type` on spot.
        """
        if self._data.market(symbol).kind != "future":
            raise spot_has_no_leverage(symbol)
        mark = self._data.mark_price(symbol) if self._futures.position(symbol) else None
        self._futures.set_leverage(symbol, leverage, self._now, mark)
        self._book.lock_again(symbol)
        self._effects += 1
        return Applied()

    def take_drafts(self) -> Sequence[IntentDraft]:
        """Return nothing: on paper, effects happen at once."""
        return ()

    def dump(self) -> ExchangeAccountElements:
        """Return the account as elements of the state; assets without holdings are left out."""
        before = self._elements
        held = {
            asset: Balance(available=self.available(asset), total=self.total(asset))
            for asset in self._ledger.assets()
        }
        exposed = {order.symbol for order in self._book.orders.values()} | {*self._futures.symbols()}
        orders = Orders(
            open_orders=list(self._book.orders.values()),
            missing_orders=list(self._book.ended),
            settled_at=self._now,
            settled_candles={
                symbol: closed for symbol, closed in self._settled_candles.items() if symbol in exposed
            },
            unsettled_since=self._unsettled_since,
        )
        return before.model_copy(
            update={
                "portfolio": before.portfolio.holding(held),
                "orders": orders.carrying(before.orders),
                "positions": self._futures.dump(self._known_prices()),
                "trades": self._trades,
                "transactions": self._transactions,
            }
        )

    # Inside

    def _market(self, symbol: Symbol) -> Market:
        """Return the rules of a symbol; what was traded before it was delisted is booked without limits."""
        try:
            return self._data.market(symbol)
        except DslError:
            if symbol in self._elements.exposed_symbols():
                return generic_market(symbol)
            raise

    def _known_prices(self) -> Mapping[Symbol, Price]:
        """Return the prices at hand of the symbols with a position."""
        held = self._futures.symbols()
        priced = self._data.priced_symbols() if held else ()
        return {symbol: self._data.mark_price(symbol) for symbol in held if symbol in priced}

    @exact
    def _market_price(self, market: Market, is_buy: bool) -> Price:
        mark = self._data.mark_price(market.symbol)
        if is_buy:
            return market.ceil_price(mark * (1 + self._slippage))
        return market.floor_price(mark * (1 - self._slippage))

    @exact
    def _check_funds(self, market: Market, legs: Sequence[Order]) -> None:
        """Refuse an order whose legs together take more than is available."""
        needed = (self._book.needs(leg) for leg in legs)
        locks = [lock for lock in needed if lock is not None]
        if not locks:
            return
        asset, amount = locks[0].asset, sum((lock.amount for lock in locks), ZERO)
        if amount > self.available(asset):
            ordered = sum((leg.amount for leg in legs), ZERO)
            raise OperatorError(
                ActionStatus.NOT_ENOUGH_FUNDS,
                f"a {legs[0].side} of {format_decimal(ordered)} {market.base} takes "
                f"{format_decimal(amount)} {asset}, {format_decimal(self.available(asset))} are available",
            )

    def _record(self, order: Order, amount: Amount, fill: Fill, fee: Fee) -> None:
        self._trades.append(
            Trade(
                id=self._ids(f"trade/{order.id}/{order.filled}")[:TRADE_ID_DIGITS],
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


@exact
def _cost(amount: Amount, price: Price) -> Decimal:
    return amount * price
