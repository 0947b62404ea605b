"""Repositories: each reads one kind of exchange data, from the exchange or from the stored state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypedDict

from engine.errors import ConfigurationError
from engine.live.books.repositories import LiveOrders, LivePortfolio, LivePositions, LiveTrades
from engine.market.bars import Bars
from engine.market.candles import Candles
from engine.market.funding import FundingRate
from engine.market.market import Market
from engine.market.market_protocols import MarketSource, Ticker
from engine.state import ExchangeAccountDetails, ExchangeAccountElements, Order, Portfolio, Position, Trade
from engine.types import Symbol, TimeFrame, Timestamp

if TYPE_CHECKING:
    from engine.live.venue.api import TradingApi


class MarketRepository(Protocol):
    """Trading rules."""

    async def fetch(self, missing: Collection[Symbol] = ()) -> Mapping[Symbol, Market]:
        """Return all markets by symbol; `missing` ones were looked for and not found."""
        ...


class TickerRepository(Protocol):
    """Latest prices."""

    async def fetch(self, symbols: Collection[Symbol]) -> Mapping[Symbol, Ticker]:
        """Return the tickers of the symbols."""
        ...


class OhlcvRepository(Protocol):
    """Candles."""

    async def fetch(self, symbol: Symbol, time_frame: TimeFrame, count: int) -> Candles:
        """Return the newest `count` candles, the running one last."""
        ...

    async def history(self, symbol: Symbol, since: Timestamp, fetched: Collection[TimeFrame]) -> Bars:
        """Return what the price did since an instant; `fetched` time frames are at hand."""
        ...


class FundingRepository(Protocol):
    """Funding of perpetual futures."""

    async def fetch(self, symbol: Symbol, since: Timestamp) -> Sequence[FundingRate]:
        """Return the funding that became known since an instant, oldest first."""
        ...


class OrderRepository(Protocol):
    """Orders of the automation."""

    async def fetch_open(self) -> Sequence[Order]:
        """Return the open orders, oldest first."""
        ...

    async def find(self, order: Order) -> Order | None:
        """Return an order as it is now, open or not; None when nobody knows it any more."""
        ...


class PortfolioRepository(Protocol):
    """Balances."""

    async def fetch(self) -> Portfolio:
        """Return the balances by asset."""
        ...


class PositionRepository(Protocol):
    """Futures positions."""

    async def fetch(self, symbols: Collection[Symbol] = ()) -> Sequence[Position]:
        """Return the positions; `symbols` are looked at besides those that are known to be traded."""
        ...


class TradeRepository(Protocol):
    """Fills of the automation's orders."""

    async def fetch(self, since: Mapping[Symbol, Timestamp] | None = None) -> Sequence[Trade]:
        """Return the newest trades, oldest first; with `since`, those of some symbols since an instant."""
        ...


@dataclass(frozen=True, slots=True)
class Repositories:
    """One repository per kind of data."""

    markets: MarketRepository
    tickers: TickerRepository
    ohlcv: OhlcvRepository
    funding: FundingRepository
    orders: OrderRepository
    portfolio: PortfolioRepository
    positions: PositionRepository
    trades: TradeRepository


class ExchangeRepositoryFactory:
    """Makes the repositories of one account: live with credentials, simulated without.

    Args:
        details: which exchange and account.
        elements: the stored account, which is what a simulated account has instead of an exchange.
        source: public data; simulated accounts see the same as live ones.
        now: market time, UNIX seconds.
        api: the private side of the exchange, of live accounts.
    """

    def __init__(
        self,
        details: ExchangeAccountDetails,
        elements: ExchangeAccountElements,
        *,
        source: MarketSource,
        now: Timestamp,
        api: TradingApi | None = None,
    ) -> None:
        self._details = details
        self._elements = elements
        self._source = source
        self._now = now
        self._api = api

    def create(self) -> Repositories:
        """Return the repositories.

        Raises:
            ConfigurationError: `missing_private_side`, when the account has credentials and nobody opened its
                exchange: it would be taken for a simulated one.
        """
        return Repositories(
            markets=_PublicMarkets(self._source),
            tickers=_PublicTickers(self._source, self._now),
            ohlcv=_PublicOhlcv(self._source, self._now),
            funding=_PublicFunding(self._source, self._now),
            **(self._stored() if self._details.is_simulated else self._live()),
        )

    def _stored(self) -> _Private:
        return _Private(
            orders=_StoredOrders(self._elements),
            portfolio=_StoredPortfolio(self._elements),
            positions=_StoredPositions(self._elements),
            trades=_StoredTrades(self._elements),
        )

    def _live(self) -> _Private:
        if self._api is None:
            raise ConfigurationError(
                "the account has credentials, so it is traded on its exchange and not on paper: open the "
                "exchange first",
                code="missing_private_side",
            )
        return _Private(
            orders=LiveOrders(self._api, self._elements),
            portfolio=LivePortfolio(self._api),
            positions=LivePositions(self._api, self._elements, self._details.exchange_details.exchange_type),
            trades=LiveTrades(self._api, self._elements),
        )


class _Private(TypedDict):
    """The repositories that differ between live and simulated accounts."""

    orders: OrderRepository
    portfolio: PortfolioRepository
    positions: PositionRepository
    trades: TradeRepository


@dataclass(frozen=True, slots=True)
class _PublicMarkets:
    source: MarketSource

    async def fetch(self, missing: Collection[Symbol] = ()) -> Mapping[Symbol, Market]:
        return await self.source.markets(missing)


@dataclass(frozen=True, slots=True)
class _PublicTickers:
    source: MarketSource
    now: Timestamp

    async def fetch(self, symbols: Collection[Symbol]) -> Mapping[Symbol, Ticker]:
        return await self.source.tickers(symbols, now=self.now)


@dataclass(frozen=True, slots=True)
class _PublicOhlcv:
    source: MarketSource
    now: Timestamp

    async def fetch(self, symbol: Symbol, time_frame: TimeFrame, count: int) -> Candles:
        return await self.source.candles(symbol, time_frame, now=self.now, count=count)

    async def history(self, symbol: Symbol, since: Timestamp, fetched: Collection[TimeFrame]) -> Bars:
        return await self.source.history(symbol, since=since, now=self.now, fetched=fetched)


@dataclass(frozen=True, slots=True)
class _PublicFunding:
    source: MarketSource
    now: Timestamp

    async def fetch(self, symbol: Symbol, since: Timestamp) -> Sequence[FundingRate]:
        return await self.source.funding(symbol, since=since, now=self.now)


@dataclass(frozen=True, slots=True)
class _StoredOrders:
    elements: ExchangeAccountElements

    async def fetch_open(self) -> Sequence[Order]:
        return self.elements.orders.open_orders

    async def find(self, order: Order) -> Order | None:
        orders = self.elements.orders
        return next(
            (one for one in (*orders.open_orders, *orders.missing_orders) if one.id == order.id), None
        )


@dataclass(frozen=True, slots=True)
class _StoredPortfolio:
    elements: ExchangeAccountElements

    async def fetch(self) -> Portfolio:
        return self.elements.portfolio


@dataclass(frozen=True, slots=True)
class _StoredPositions:
    elements: ExchangeAccountElements

    async def fetch(self, symbols: Collection[Symbol] = ()) -> Sequence[Position]:  # noqa: ARG002  (all are stored)
        return self.elements.positions


@dataclass(frozen=True, slots=True)
class _StoredTrades:
    elements: ExchangeAccountElements

    async def fetch(self, since: Mapping[Symbol, Timestamp] | None = None) -> Sequence[Trade]:
        trades = self.elements.trades
        if since is None:
            return trades
        return [trade for trade in trades if trade.symbol in since and trade.timestamp >= since[trade.symbol]]
