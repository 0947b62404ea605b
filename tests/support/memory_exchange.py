"""An exchange account that exists only in the test: exact books, requests recorded, faults as scripted."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeVar

from engine.errors import ActionStatus
from engine.exchanges.capabilities import Capabilities
from engine.exchanges.key_rights import KeyRights
from engine.live.settings import LiveSettings
from engine.live.venue.api import Absent, Accepted, Confirmed, Duplicate, OrderReport, Refused, Unclear
from engine.market.market import Market
from engine.state import Balance, ExchangeAccountDetails, Fee, Order, Portfolio, Position, Trade, Transaction
from engine.types import Asset, OrderId, Symbol
from tests.support.builders import NOW
from tests.support.memory_market import MemoryMarket

T = TypeVar("T")

FEE_RATE = Decimal("0.001")
LIKE_BINANCE = Capabilities(
    length=36, signatures_expire=True, finds_by_client_id=True, withdrawal_id_parameter="withdrawOrderId"
)


@dataclass(frozen=True)
class Request:
    """One effect request as it reached the exchange; `client_id` is None where the kind has none."""

    kind: str
    client_id: str | None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What the next effect request is answered with, and whether it happens nevertheless."""

    answer: Any
    happens: bool


class MemoryExchange:
    """A `LiveExchange` whose clock, prices and faults a test sets.

    Market orders fill at once at the price, limit orders that cross it fill at once at their limit, all
    others rest. Fees are 0.1 %, in base on buys and in quote on sells. The client id of an order that is not
    open any more is free again, as on Binance.

    Give `exchange.open` as `Services.live_exchange`. What a test looks at:

    - `sent`: every effect request that arrived, in order; `requests` counts all requests by name;
    - `orders`: reports by order id, in the order of creation; `fills`: all trades; `balances`: totals;
    - `opened`, `closed`: how many clients were opened and closed.

    What a test sets: `clock` (UNIX seconds), `market.prices`, `balances`, `open_positions`, `rights` of the
    key, and the faults:

    - `will_answer(answer, happens=…)` scripts the next effect request; several calls queue up;
    - `read_error`: raised by every read until it is None again;
    - `on_the_way`: awaited when an effect request has arrived, before it is answered.

    What happens elsewhere: `accept(order)` (a late request lands, or a person trades), `fill(id, amount)`,
    `cancel_elsewhere(id)`.
    """

    def __init__(
        self,
        prices: Mapping[str, str | int] | None = None,
        balances: Mapping[str, str | int] | None = None,
        *,
        clock: float = NOW,
        capabilities: Capabilities = LIKE_BINANCE,
        markets: Sequence[Market] = (),
    ) -> None:
        self.market = MemoryMarket({"BTC/USDT": 50_000} if prices is None else prices, markets=markets)
        held = {"USDT": 1_000, "BTC": 1} if balances is None else balances
        self.balances = {Asset(asset): Decimal(total) for asset, total in held.items()}
        self.clock = clock
        self.capabilities = capabilities
        self.orders: dict[OrderId, OrderReport] = {}
        self.fills: list[Trade] = []
        self.withdrawals: dict[str, Transaction] = {}
        self.leverages: dict[Symbol, Decimal] = {}
        self.open_positions: list[Position] = []
        self.rights = KeyRights(read=True, trade=True, withdraw=False, ip_restricted=True)
        self.sent: list[Request] = []
        self.requests: Counter[str] = Counter()
        self.read_error: BaseException | None = None
        self.on_the_way: Callable[[], Awaitable[None]] = _nothing
        self.opened = 0
        self.closed = 0
        self._faults: deque[Fault] = deque()

    # The seam that the engine sees

    def open(self, details: ExchangeAccountDetails, settings: LiveSettings) -> MemoryExchange:
        """Count a client; the value of `Services.live_exchange`."""
        self.opened += 1
        return self

    @property
    def source(self) -> MemoryMarket:
        return self.market

    @property
    def api(self) -> MemoryExchange:
        return self

    async def close(self) -> None:
        self.closed += 1

    def exchange_time(self) -> float:
        return self.clock

    # Faults, and what happens elsewhere

    def will_answer(self, answer: Any, *, happens: bool = False) -> None:
        """Answer the next effect request with `answer` (an exception is raised); it happens or does not."""
        self._faults.append(Fault(answer, happens))

    def accept(self, order: Order) -> OrderReport:
        """Take an order whatever the funds, as if another request of the account had arrived."""
        report = OrderReport(
            id=OrderId(f"{len(self.orders) + 1}"),
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            kind=order.type,
            amount=order.amount,
            filled=Decimal(0),
            status="open",
            created_at=self.clock,
            price=order.price,
            stop_price=order.stop_price,
        )
        self.orders[report.id] = report
        if order.type == "market" or self._crosses(order):
            self.fill(report.id)
        return self.orders[report.id]

    def fill(self, order_id: str, amount: str | None = None) -> OrderReport:
        """Fill an open order, or the given part of it, at its limit, else its stop, else the price now."""
        report = self.orders[OrderId(order_id)]
        done = report.amount - report.filled if amount is None else Decimal(amount)
        price = report.price or report.stop_price or self.market.prices[report.symbol]
        cost = done * price
        base, quote = _assets(report.symbol)
        buys = report.side == "buy"
        fee = Fee(cost=(done if buys else cost) * FEE_RATE, currency=base if buys else quote)
        self._change(base, done if buys else -done)
        self._change(quote, -cost if buys else cost)
        self._change(base if buys else quote, -fee.cost)
        self.fills.append(
            Trade(
                id=f"t{len(self.fills) + 1}",
                order_id=report.id,
                symbol=report.symbol,
                side=report.side,
                type="market" if report.kind == "market" else "limit",
                amount=done,
                price=price,
                cost=cost,
                fee=fee,
                timestamp=self.clock,
            )
        )
        spent = sum((one.cost for one in self.fills if one.order_id == report.id), Decimal(0))
        filled = report.filled + done
        return self._replace(
            report,
            filled=filled,
            average=spent / filled,
            status="closed" if filled == report.amount else "open",
            fees=(*report.fees, fee),
        )

    def cancel_elsewhere(self, order_id: str) -> OrderReport:
        """Cancel an order as a person on the exchange's own site would."""
        return self._replace(self.orders[OrderId(order_id)], status="canceled")

    # Effects

    async def create_order(self, order: Order) -> Accepted | Refused | Duplicate | Unclear:
        def take() -> Accepted | Refused | Duplicate | Unclear:
            if any(known.client_order_id == order.client_order_id for known in self._open()):
                return Duplicate("Duplicate order sent.")
            if not self._can_pay(order):
                return Refused(ActionStatus.NOT_ENOUGH_FUNDS, "Account has insufficient balance.")
            return Accepted(self.accept(order))

        params = order.model_dump(mode="json", exclude_defaults=True)
        return await self._receive(Request("create_order", order.client_order_id, params), take)

    async def cancel_order(self, order_id: OrderId, symbol: Symbol) -> Confirmed | Absent | Refused | Unclear:
        def take() -> Confirmed | Absent | Refused | Unclear:
            if all(known.id != order_id for known in self._open()):
                return Absent("Unknown order sent.")
            self.cancel_elsewhere(order_id)
            return Confirmed()

        return await self._receive(Request("cancel_order", None, {"id": order_id, "symbol": symbol}), take)

    async def set_leverage(self, symbol: Symbol, leverage: Decimal) -> Confirmed | Refused | Unclear:
        def take() -> Confirmed | Refused | Unclear:
            self.leverages[symbol] = leverage
            return Confirmed()

        params = {"symbol": symbol, "leverage": str(leverage)}
        return await self._receive(Request("set_leverage", None, params), take)

    async def withdraw(self, transaction: Transaction) -> Confirmed | Refused | Duplicate | Unclear:
        def take() -> Confirmed | Refused | Duplicate | Unclear:
            if transaction.txid in self.withdrawals:
                return Duplicate("Duplicate withdrawal.")
            self.withdrawals[transaction.txid] = transaction.model_copy(
                update={"timestamp": self.clock, "status": "ok"}
            )
            self._change(transaction.asset, -transaction.amount)
            return Confirmed()

        params = transaction.model_dump(mode="json", exclude_defaults=True)
        return await self._receive(Request("withdraw", transaction.txid, params), take)

    # Reads

    async def find_orders(
        self, symbol: Symbol, client_order_ids: Collection[str], since: float
    ) -> Mapping[str, OrderReport]:
        self._read("find_orders")
        return {
            report.client_order_id: report
            for report in self.orders.values()
            if report.client_order_id is not None
            and report.client_order_id in client_order_ids
            and report.symbol == symbol
            and report.created_at >= since
        }

    async def find_withdrawal(self, txid: str, asset: str, since: float) -> Transaction | None:
        self._read("find_withdrawal")
        return self.withdrawals.get(txid)

    async def order(self, order_id: OrderId, symbol: Symbol) -> OrderReport | None:
        self._read("order")
        return self.orders.get(order_id)

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        self._read("open_orders")
        return [report for report in self._open() if report.symbol == symbol]

    async def trades(self, symbol: Symbol, since: float) -> Sequence[Trade]:
        self._read("trades")
        return [trade for trade in self.fills if trade.symbol == symbol and trade.timestamp >= since]

    async def portfolio(self) -> Portfolio:
        self._read("portfolio")
        content = {
            asset: Balance(total=total, available=total - self._locked(asset))
            for asset, total in self.balances.items()
            if total
        }
        return Portfolio(content=content)

    async def positions(self, symbols: Collection[Symbol]) -> Sequence[Position]:
        self._read("positions")
        return [position for position in self.open_positions if position.symbol in symbols]

    async def key_rights(self) -> KeyRights:
        self._read("key_rights")
        return self.rights

    async def clock_difference(self) -> float:
        self._read("clock_difference")
        return 0.0

    # Inside

    async def _receive(self, request: Request, take: Callable[[], T]) -> T:
        """Record a request and answer it, as the next fault says if there is one."""
        self.sent.append(request)
        self.requests[request.kind] += 1
        await self.on_the_way()
        if not self._faults:
            return take()
        fault = self._faults.popleft()
        if fault.happens:
            take()
        if isinstance(fault.answer, BaseException):
            raise fault.answer
        answer: T = fault.answer
        return answer

    def _read(self, name: str) -> None:
        self.requests[name] += 1
        if self.read_error is not None:
            raise self.read_error

    def _open(self) -> list[OrderReport]:
        return [report for report in self.orders.values() if report.status == "open"]

    def _crosses(self, order: Order) -> bool:
        if order.type != "limit" or order.price is None:
            return False
        price = self.market.prices[order.symbol]
        return order.price >= price if order.side == "buy" else order.price <= price

    def _can_pay(self, order: Order) -> bool:
        base, quote = _assets(order.symbol)
        price = order.price or order.stop_price or self.market.prices[order.symbol]
        asset, needed = (quote, order.amount * price) if order.side == "buy" else (base, order.amount)
        return self.balances.get(asset, Decimal(0)) - self._locked(asset) >= needed

    def _locked(self, asset: Asset) -> Decimal:
        """Return what the open orders may still pay of an asset."""
        locked = Decimal(0)
        for report in self._open():
            base, quote = _assets(report.symbol)
            remaining = report.amount - report.filled
            price = report.price or report.stop_price or Decimal(0)
            if report.side == "buy" and asset == quote:
                locked += remaining * price
            elif report.side == "sell" and asset == base:
                locked += remaining
        return locked

    def _change(self, asset: Asset, by: Decimal) -> None:
        self.balances[asset] = self.balances.get(asset, Decimal(0)) + by

    def _replace(self, report: OrderReport, **changes: Any) -> OrderReport:
        self.orders[report.id] = replace(report, **changes)
        return self.orders[report.id]


def _assets(symbol: Symbol) -> tuple[Asset, Asset]:
    base, _, quote = symbol.partition(":")[0].partition("/")
    return Asset(base), Asset(quote)


async def _nothing() -> None:
    pass
