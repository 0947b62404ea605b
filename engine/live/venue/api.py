"""The seam of live trading: an exchange's private side, typed in and typed out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from engine.errors import ActionStatus
from engine.exchanges import Capabilities, KeyRights
from engine.live.settings import PostponeReason
from engine.market import MarketSource
from engine.state import Fee, Order, OrderStatus, Portfolio, Position, Side, Trade, Transaction
from engine.types import Amount, OrderId, Price, Seconds, Symbol, Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """An order as the exchange tells it; amounts in base, prices in quote per base, times in UNIX seconds.

    Attributes:
        amount: 0 where the exchange does not tell it, as of orders that were counted in quote.
        kind: market, limit, or a stop of either; as the exchange's own word says it, None when it is unclear.
        average: mean price of what filled.
        fees: as far as the answer tells them.
    """

    id: OrderId
    client_order_id: str | None
    symbol: Symbol
    side: Side
    kind: str | None
    amount: Amount
    filled: Amount
    status: OrderStatus
    created_at: Timestamp
    price: Price | None = None
    stop_price: Price | None = None
    average: Price | None = None
    fees: tuple[Fee, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The exchange has the order."""

    report: OrderReport


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The exchange did it: cancelled the order, changed the leverage."""


@dataclass(frozen=True, slots=True)
class Absent:
    """The exchange knows no such open order: nothing to cancel."""

    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A definite refusal: nothing happened, and nothing of it will."""

    status: ActionStatus
    message: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The exchange has an order under this client id, or had one."""

    message: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have happened.

    Attributes:
        message: what is known, without secrets.
        retry_after: seconds that the exchange asks to wait before any request.
        postpone: set when it cannot pass within minutes.
    """

    message: str
    retry_after: Seconds | None = None
    postpone: PostponeReason | None = None


class TradingApi(Protocol):
    """The private side of one exchange account.

    Effects return an answer for whatever happens, and send exactly one request, never repeated. Reads are
    repeated twice (after 0.2 s and 1 s, with jitter) before they raise:

    - `RetryableError`: no answer, or a rate limit (`retry_after`, code `rate_limited`);
    - `PostponedError`: refused credentials, maintenance;
    - `ConfigurationError`: this cannot be had here at all.

    No text that leaves contains a secret.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What the exchange can do."""
        ...

    def exchange_time(self) -> Timestamp:
        """Return the exchange's clock as far as it is known: the one that signed requests expire by."""
        ...

    async def create_order(self, order: Order) -> Accepted | Refused | Duplicate | Unclear:
        """Send an order under its `client_order_id`, with amount and price exactly as given."""
        ...

    async def cancel_order(self, order_id: OrderId, symbol: Symbol) -> Confirmed | Absent | Refused | Unclear:
        """Cancel an order."""
        ...

    async def set_leverage(self, symbol: Symbol, leverage: Decimal) -> Confirmed | Refused | Unclear:
        """Change the leverage of a futures symbol; sending it twice changes nothing."""
        ...

    async def withdraw(self, transaction: Transaction) -> Confirmed | Refused | Duplicate | Unclear:
        """Send funds away under the client id `transaction.txid`."""
        ...

    async def find_orders(
        self, symbol: Symbol, client_order_ids: Collection[str], since: Timestamp
    ) -> Mapping[str, OrderReport]:
        """Look orders up by client id, open or not, created after `since`; unknown ones are left out.

        One request for a single id where the exchange can, else its open orders and its order history.
        """
        ...

    async def find_withdrawal(self, txid: str, asset: str, since: Timestamp) -> Transaction | None:
        """Look a withdrawal up by its client id."""
        ...

    async def order(self, order_id: OrderId, symbol: Symbol) -> OrderReport | None:
        """Return an order, open or not; None when the exchange does not know it."""
        ...

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """Return all open orders of a symbol, whoever placed them."""
        ...

    async def trades(self, symbol: Symbol, since: Timestamp) -> Sequence[Trade]:
        """Return the fills of a symbol since an instant, oldest first; `order_id` tells whose they are."""
        ...

    async def portfolio(self) -> Portfolio:
        """Return the balances; assets without holdings are left out."""
        ...

    async def positions(self, symbols: Collection[Symbol]) -> Sequence[Position]:
        """Return the futures positions of some symbols."""
        ...

    async def key_rights(self) -> KeyRights:
        """Return what the key may do, as far as the exchange tells."""
        ...

    async def clock_difference(self) -> Seconds:
        """Measure anew how far this machine's clock is ahead of the exchange's."""
        ...


class LiveExchange(Protocol):
    """One client of one account, for one job: public data and the private side.

    Attributes:
        source: public data; tickers are never older than the invocation.
        api: the private side.
    """

    @property
    def source(self) -> MarketSource:
        """Public data, through the same client."""
        ...

    @property
    def api(self) -> TradingApi:
        """The private side."""
        ...

    async def close(self) -> None:
        """Release the connections, also while being cancelled."""
        ...
