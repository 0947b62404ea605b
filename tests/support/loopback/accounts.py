"""What an exchange keeps of its customers: keys, balances, orders, fills and withdrawals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Final, NewType

ApiKey = NewType("ApiKey", str)
MarketId = NewType("MarketId", str)
"""The exchange's own name of a market, such as BTCUSDT."""
Milliseconds = NewType("Milliseconds", int)
"""UNIX time in milliseconds, by the exchange's clock."""

ZERO: Final = Decimal(0)


class Side(Enum):
    """Who pays quote and gets base."""

    BUY = "BUY"
    SELL = "SELL"


class Kind(Enum):
    """What makes an order trade, in Binance's words."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"

    @property
    def has_price(self) -> bool:
        """Whether it rests at a limit price."""
        return self in _LIMITED

    @property
    def waits(self) -> bool:
        """Whether it does nothing before its stop price is reached."""
        return self in _WAITING


_LIMITED: Final = {Kind.LIMIT, Kind.LIMIT_MAKER, Kind.STOP_LOSS_LIMIT, Kind.TAKE_PROFIT_LIMIT}
_WAITING: Final = {Kind.STOP_LOSS, Kind.STOP_LOSS_LIMIT, Kind.TAKE_PROFIT, Kind.TAKE_PROFIT_LIMIT}


class Status(Enum):
    """Where an order stands, in Binance's words."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


@dataclass(slots=True)
class Balance:
    """How much of an asset an account holds."""

    free: Decimal = ZERO
    locked: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One trade of an order; amounts in base, price in quote per base."""

    id: int
    order_id: int
    market: MarketId
    side: Side
    price: Decimal
    amount: Decimal
    fee: Decimal
    fee_asset: str
    time: Milliseconds
    maker: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """An order as a customer asks for it; the client id is empty when the exchange shall choose one."""

    market: MarketId
    side: Side
    kind: Kind
    amount: Decimal
    client_id: str = ""
    price: Decimal = ZERO
    stop_price: Decimal = ZERO
    time_in_force: str = "GTC"


@dataclass(slots=True, kw_only=True)
class BookOrder:
    """An order in the books; `locked` of the paying asset is reserved for what is left of it."""

    id: int
    client_id: str
    request: OrderRequest
    created_at: Milliseconds
    updated_at: Milliseconds
    status: Status = Status.NEW
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    locked: Decimal = ZERO
    waiting: bool = False
    fills: list[Fill] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it can still trade or be cancelled."""
        return self.status in (Status.NEW, Status.PARTIALLY_FILLED)

    @property
    def remaining(self) -> Decimal:
        """What has not filled yet, in base."""
        return self.request.amount - self.filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Funds that were sent away."""

    id: str
    client_id: str
    asset: str
    amount: Decimal
    address: str
    network: str
    time: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a key may do."""

    trade: bool = True
    withdraw: bool = False
    ip_restricted: bool = False


@dataclass(slots=True, kw_only=True)
class Account:
    """A customer with one API key; fees are paid in `fee_asset` while it holds any of it."""

    key: ApiKey
    secret: str
    passphrase: str = ""
    rights: Rights = field(default_factory=Rights)
    fee_asset: str | None = None
    balances: dict[str, Balance] = field(default_factory=dict)
    orders: list[BookOrder] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)

    def balance(self, asset: str) -> Balance:
        """Return the holding of an asset, to read or to change."""
        return self.balances.setdefault(asset, Balance())

    @property
    def open_orders(self) -> list[BookOrder]:
        """All its open orders, oldest first."""
        return [order for order in self.orders if order.is_open]


@dataclass(frozen=True, slots=True)
class AcceptedOrder:
    """An order that the exchange took, as tests count it; `params` in the dialect's words."""

    client_id: str
    order_id: int
    key: ApiKey
    time: Milliseconds
    params: Mapping[str, str]
