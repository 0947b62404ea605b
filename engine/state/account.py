"""Account elements: what one automation owns and has open on its exchange account."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal

from pydantic import Field

from engine.state.base import Money, StateModel
from engine.types import ActionId, Asset, CallSite, OrderId, Symbol

Side = Literal["buy", "sell"]
OrderType = Literal[
    "market", "limit", "stop_loss", "stop_limit", "take_profit", "take_profit_limit", "trailing_stop"
]

LIMIT_TYPES: Final[frozenset[OrderType]] = frozenset({"limit", "stop_limit", "take_profit_limit"})
"""Orders whose price is a limit; that of the others is what they are expected to trade at."""

OrderStatus = Literal["open", "closed", "canceled", "expired", "rejected"]
TimeInForce = Literal["GTC", "IOC", "FOK", "PO"]

ZERO = Decimal(0)
MAX_TRADES = 200
MAX_TRANSACTIONS = 200

_COMPARED = ("portfolio", "positions", "trades", "transactions")


class Balance(StateModel):
    """Holdings of one asset; `total - available` is locked by open orders."""

    available: Money = ZERO
    total: Money = ZERO


class Portfolio(StateModel):
    """Balances by asset."""

    content: dict[Asset, Balance] = Field(default_factory=dict)

    def holding(self, content: Mapping[Asset, Balance]) -> Portfolio:
        """Return the portfolio with other balances, each of them what became of that of its asset."""
        known = self.content
        carried = {asset: balance.carrying(known.get(asset)) for asset, balance in content.items()}
        return Portfolio(content=carried).carrying(self)


class Fee(StateModel):
    """What a fill cost, in units of `currency`."""

    cost: Money = ZERO
    currency: Asset | None = None


class Origin(StateModel):
    """Whose order it is, on a live account: the action, the call in its script, the part of that call."""

    action_id: ActionId
    call_site: CallSite
    leg: str


class Order(StateModel):
    """An order of this automation. Amounts in base, prices in quote per base, times in UNIX seconds.

    `price` is a limit, or what an order without one is expected to trade at; `stop_price` the price that the
    order waits for. Chained orders wait for this order's fill. `created_at` of a stop that was moved is when
    it was moved. `trailing_percent` is how far a trailing stop stays behind the best price; `stop_ladder` is
    where a stop moves as take-profits of its group fill. `stop_since` and `stop_before` are set on simulated
    accounts while a candle runs in which a stop was moved: when, and where it was at the candle's opening.
    `origin` is set on live accounts, where what follows from an order is planned in the name of its call.
    """

    id: OrderId
    client_order_id: str | None = None
    symbol: Symbol
    side: Side
    type: OrderType
    amount: Money
    filled: Money = ZERO
    price: Money | None = None
    stop_price: Money | None = None
    status: OrderStatus = "open"
    created_at: float = 0
    fee: Fee | None = None
    tag: str | None = None
    reduce_only: bool = False
    time_in_force: TimeInForce = "GTC"
    group: str | None = None
    chained: list[Order] = Field(default_factory=list)
    cancel_policy: dict[str, Any] | None = None
    trailing_percent: Money | None = None
    stop_ladder: list[Money] = Field(default_factory=list)
    stop_since: float = 0
    stop_before: Money | None = None
    origin: Origin | None = None

    @property
    def remaining(self) -> Decimal:
        """The amount that is not filled yet, in base."""
        return self.amount - self.filled


class Trade(StateModel):
    """One fill. `cost` is amount times price, in quote; `timestamp` in UNIX seconds."""

    id: str
    order_id: OrderId | None = None
    symbol: Symbol
    side: Side
    type: OrderType
    amount: Money
    price: Money
    cost: Money
    fee: Fee | None = None
    timestamp: float
    tag: str | None = None


class Position(StateModel):
    """A futures position; `amount` in contracts' base, prices and profit in quote, times in UNIX seconds.

    `opened_at` is since when a simulated account has a position of this side, `liquidation_since` since when
    its liquidation price is what it is, and `liquidation_before` what it was before.
    """

    symbol: Symbol
    side: Literal["long", "short"]
    amount: Money
    entry_price: Money
    leverage: Money = Decimal(1)
    margin: Money = ZERO
    liquidation_price: Money | None = None
    unrealised_pnl: Money = ZERO
    opened_at: float = 0
    liquidation_since: float = 0
    liquidation_before: Money | None = None


class Transaction(StateModel):
    """A deposit or a withdrawal. `tag` is the memo that some addresses need."""

    txid: str
    kind: Literal["deposit", "withdrawal"]
    asset: Asset
    amount: Money
    fee: Fee | None = None
    network: str | None = None
    address_to: str | None = None
    tag: str | None = None
    timestamp: float = 0
    status: str | None = None


class Orders(StateModel):
    """Orders that this automation created or adopted.

    `missing_orders` left the book since the last invocation without a fill: expired, cancelled with their
    group, or refused when their price came.
    `inactive_orders` are exits that the exchange cannot hold beside those that stand in its book; they take
    their place when the price comes near. Live accounts only.
    `closing_orders` have left the book, and something is still to be done about them: their last fills are to
    be fetched, or, once their status is `closed`, their group is to follow. `closing_since` is when the first
    of them left. Live accounts only.
    `settled_at` is the market time up to which a simulated account has settled its open orders, and
    `settled_candles` when the last whole candle closed that it has settled, by symbol, so that no candle is
    settled twice and none is missed. `unsettled_since` is of symbols whose market could not be had then.
    """

    open_orders: list[Order] = Field(default_factory=list)
    missing_orders: list[Order] = Field(default_factory=list)
    inactive_orders: list[Order] = Field(default_factory=list)
    closing_orders: list[Order] = Field(default_factory=list)
    closing_since: float = 0
    settled_at: float = 0
    settled_candles: dict[Symbol, float] = Field(default_factory=dict)
    unsettled_since: dict[Symbol, float] = Field(default_factory=dict)


class ExchangeAccountElements(StateModel):
    """Everything that is synced back from the account after an invocation."""

    name: str | None = None
    portfolio: Portfolio = Field(default_factory=Portfolio)
    orders: Orders = Field(default_factory=Orders)
    positions: list[Position] = Field(default_factory=list)
    trades: list[Trade] = Field(default_factory=list)
    transactions: list[Transaction] = Field(default_factory=list)

    @property
    def is_exposed(self) -> bool:
        """Whether orders or positions may be other ones by now, without anything that the automation did."""
        return self.has_orders or bool(self.exposed_symbols())

    @property
    def has_orders(self) -> bool:
        """Whether anything is still to happen with orders of the automation."""
        orders = self.orders
        return bool(orders.open_orders or orders.inactive_orders or orders.closing_orders)

    def exposed_symbols(self) -> list[Symbol]:
        """Return the symbols whose price can change the account: of open orders and of open positions."""
        symbols = [order.symbol for order in self.orders.open_orders]
        symbols += [position.symbol for position in self.positions if position.amount]
        return list(dict.fromkeys(symbols))

    def changes_since(self, before: ExchangeAccountElements) -> tuple[str, ...]:
        """Return the names of the elements that differ from what they were."""
        changed = [name for name in _COMPARED if getattr(self, name) != getattr(before, name)]
        if self.orders.open_orders != before.orders.open_orders:
            changed.append("orders")
        return tuple(changed)

    def cut_to_bounds(self) -> dict[str, int]:
        """Keep the newest trades and transactions; return how many of each were cut off."""
        cut = {
            "trades": max(0, len(self.trades) - MAX_TRADES),
            "transactions": max(0, len(self.transactions) - MAX_TRANSACTIONS),
        }
        self.trades = self.trades[-MAX_TRADES:]
        self.transactions = self.transactions[-MAX_TRANSACTIONS:]
        return {name: count for name, count in cut.items() if count}
