"""The seams of the exchange room: market data in, an account to act on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

from engine.exchange.bars import Bars
from engine.exchange.candles import Candles
from engine.exchange.effects import Applied, IntentDraft, Planned
from engine.exchange.exits import NO_EXITS, Exits
from engine.exchange.funding import FundingRate
from engine.exchange.market import Market
from engine.state import Order, OrderType, Position, Side, TimeInForce, Trade, Transaction
from engine.types import Amount, Asset, OrderId, Price, Symbol, TimeFrame, Timestamp


@dataclass(frozen=True, slots=True)
class Ticker:
    """The latest prices of a symbol, quote per base; `timestamp` in UNIX seconds."""

    symbol: Symbol
    close: Price
    timestamp: Timestamp
    bid: Price | None = None
    ask: Price | None = None
    high: Price | None = None
    low: Price | None = None
    volume: Amount | None = None


class MarketSource(Protocol):
    """Public data of one exchange. Unknown symbols are absent from answers; other failures are raised."""

    async def markets(self, missing: Collection[Symbol] = ()) -> Mapping[Symbol, Market]:
        """Return all markets by symbol.

        Args:
            missing: symbols that the caller did not find; a list from a cache is loaded again for them, once.
        """
        ...

    async def candles(self, symbol: Symbol, time_frame: TimeFrame, *, now: Timestamp, count: int) -> Candles:
        """Return up to `count` candles as known at `now`, oldest first, the running candle last."""
        ...

    async def tickers(self, symbols: Collection[Symbol], *, now: Timestamp) -> Mapping[Symbol, Ticker]:
        """Return the tickers of the symbols at `now`."""
        ...

    async def history(
        self, symbol: Symbol, *, since: Timestamp, now: Timestamp, fetched: Collection[TimeFrame]
    ) -> Bars:
        """Return what the price did after `since` and up to `now`.

        Args:
            symbol: the market.
            since: start of the period, UNIX seconds.
            now: end of the period.
            fetched: time frames whose candles are at hand, for sources that pay for each request.
        """
        ...

    async def funding(self, symbol: Symbol, *, since: Timestamp, now: Timestamp) -> Sequence[FundingRate]:
        """Return the funding of a perpetual future that became known after `since` and up to `now`.

        Oldest first; nothing where the source does not have it.
        """
        ...

    async def close(self) -> None:
        """Release connections; the source is not used afterwards."""
        ...


class MarketData(Protocol):
    """The market as an operator sees it: data of one instant, fetched before.

    Every method raises `DslError` (`invalid_parameters`) for an unknown symbol, naming the nearest ones, and
    (`evaluation`) for data that is not there.
    """

    def market(self, symbol: Symbol) -> Market:
        """Return the trading rules of a symbol."""
        ...

    def candles(self, symbol: Symbol, time_frame: TimeFrame) -> Candles:
        """Return the candles of a symbol, the running one last."""
        ...

    def ticker(self, symbol: Symbol) -> Ticker:
        """Return the latest prices of a symbol."""
        ...

    def mark_price(self, symbol: Symbol) -> Price:
        """Return the latest ticker's close, else the newest candle's close."""
        ...

    def priced_symbols(self) -> Collection[Symbol]:
        """Return the symbols whose prices were fetched: what the automation trades or asks the price of."""
        ...

    def value(self, amount: Decimal, asset: Asset, unit: Asset) -> Decimal | None:
        """Return what `amount` of an asset is worth in `unit` at known prices, or None without a price."""
        ...

    async def load_prices(self, assets: Iterable[Asset], unit: Asset) -> None:
        """Fetch the prices that `value` needs for these assets, where the exchange has them."""
        ...


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
