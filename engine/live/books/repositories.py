"""The repositories of a live account: what its exchange has, one for each kind of data."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, Self

from engine.exchanges import gathered
from engine.live.guard import total_fee
from engine.live.venue import LiveExchange, OrderReport, TradingApi
from engine.orders import flat_position
from engine.state import ExchangeAccountElements, Order, Portfolio, Position, Trade
from engine.types import EffectKey, MarketKind, Seconds, Symbol, Timestamp

CLOCKS: Final[Seconds] = 3_600
"""How far the clocks of two machines may differ at most, where orders are looked for by time."""


@dataclass(frozen=True, slots=True)
class LiveOrders:
    """Orders of the automation among all orders of the account; whose they are is told by their ids.

    Attributes:
        api: the exchange's private side.
    """

    api: TradingApi

    async def fetch_open(self, stored: Sequence[Order]) -> Sequence[Order]:
        """Return those of the stored orders that the exchange lists, as it tells them; a request a symbol."""
        symbols = dict.fromkeys(order.symbol for order in stored)
        lists = await gathered([self.api.open_orders(symbol) for symbol in symbols])
        reports: dict[str, OrderReport] = {}
        for report in chain.from_iterable(lists):
            reports[report.id] = reports[report.client_order_id or report.id] = report
        found = (
            (order, reports.get(order.id) or reports.get(order.client_order_id or "")) for order in stored
        )
        return [_updated(order, report) for order, report in found if report is not None]

    async def find(self, order: Order) -> Order | None:
        """Return an order that has left the book as it is now; None when the exchange does not know it.

        An order that only a person saw on the exchange is known by its client id alone.
        """
        name = order.client_order_id
        if name is not None and name in (
            order.id,
            self.api.capabilities.client_order_id(EffectKey(order.id)),
        ):
            report = (await self.api.find_orders(order.symbol, [name], order.created_at - CLOCKS)).get(name)
        else:
            report = await self.api.order(order.id, order.symbol)
        return None if report is None else _updated(order, report)


@dataclass(frozen=True, slots=True)
class LivePortfolio:
    """Balances of the whole account."""

    api: TradingApi

    async def fetch(self) -> Portfolio:
        """Return the balances by asset."""
        return await self.api.portfolio()


@dataclass(frozen=True, slots=True)
class LivePositions:
    """Futures positions of the symbols that the automation trades; none on spot.

    Attributes:
        api: the exchange's private side.
        kind: what the account trades.
    """

    api: TradingApi
    kind: MarketKind

    async def fetch(
        self, elements: ExchangeAccountElements, symbols: Collection[Symbol] = ()
    ) -> Sequence[Position]:
        """Return the open positions, and flat ones that remember a leverage.

        Args:
            elements: the stored account; it knows what is traded, and the leverage of flat symbols.
            symbols: what is looked at besides.
        """
        if self.kind == "spot":
            return ()
        stored = elements.positions
        known = [
            *(order.symbol for order in elements.orders.open_orders),
            *(one.symbol for one in stored),
        ]
        wanted = list(dict.fromkeys([*known, *symbols]))
        told = await self.api.positions(wanted) if wanted else ()
        before = {one.symbol: one for one in stored}
        held = {one.symbol: one.carrying(before.get(one.symbol)) for one in told if one.amount}
        leverages = {one.symbol: one.leverage for one in (*stored, *told)}
        flat = [
            flat_position(symbol, leverage).carrying(before.get(symbol))
            for symbol, leverage in leverages.items()
            if symbol not in held and leverage != 1
        ]
        return [*held.values(), *flat]


@dataclass(frozen=True, slots=True)
class LiveTrades:
    """Fills of the whole account."""

    api: TradingApi

    async def fetch(self, since: Mapping[Symbol, Timestamp]) -> Sequence[Trade]:
        """Return the trades in some symbols, of each since an instant in UNIX seconds."""
        lists = await gathered([self.api.trades(symbol, start) for symbol, start in since.items()])
        return list(chain.from_iterable(lists))


@dataclass(frozen=True, slots=True)
class LiveRepositories:
    """An account on its exchange, and a repository for each kind of data that it has there.

    Attributes:
        exchange: the client, whose market data is public.
    """

    exchange: LiveExchange
    orders: LiveOrders
    portfolio: LivePortfolio
    positions: LivePositions
    trades: LiveTrades

    @classmethod
    def of(cls, exchange: LiveExchange, kind: MarketKind) -> Self:
        """Return the repositories of an account that trades one kind of market."""
        api = exchange.api
        return cls(exchange, LiveOrders(api), LivePortfolio(api), LivePositions(api, kind), LiveTrades(api))


def _updated(order: Order, report: OrderReport) -> Order:
    """Return an order as a report tells it: its id on the exchange, its fills and fees, its status."""
    fee = total_fee(report.fees)
    paid = order.fee if fee is None else fee.carrying(order.fee)
    told = {"id": report.id, "filled": report.filled, "status": report.status, "fee": paid}
    return order.model_copy(update={**told, "created_at": report.created_at or order.created_at})
