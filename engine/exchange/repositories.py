"""Repositories: each reads one kind of exchange data, from the exchange or from the stored state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.errors import ConfigurationError
from engine.exchange.bars import Bars
from engine.exchange.candles import Candles
from engine.exchange.funding import FundingRate
from engine.exchange.market import Market
from engine.exchange.protocols import MarketSource, Ticker
from engine.state import ExchangeAccountDetails, ExchangeAccountElements, Order, Portfolio, Position, Trade
from engine.types import Symbol, TimeFrame, Timestamp


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


class PortfolioRepository(Protocol):
    """Balances."""

    async def fetch(self) -> Portfolio:
        """Return the balances by asset."""
        ...


class PositionRepository(Protocol):
    """Futures positions."""

    async def fetch(self) -> Sequence[Position]:
        """Return the open positions."""
        ...


class TradeRepository(Protocol):
    """Fills of the automation's orders."""

    async def fetch(self) -> Sequence[Trade]:
        """Return the newest trades, oldest first."""
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
    """Makes the repositories of one account: simulated without credentials.

    Args:
        details: which exchange and account.
        elements: the stored account, which is what a simulated account has instead of an exchange.
        source: public data; simulated accounts see the same as live ones.
        now: market time, UNIX seconds.
    """

    def __init__(
        self,
        details: ExchangeAccountDetails,
        elements: ExchangeAccountElements,
        *,
        source: MarketSource,
        now: Timestamp,
    ) -> None:
        self._details = details
        self._elements = elements
        self._source = source
        self._now = now

    def create(self) -> Repositories:
        """Return the repositories.

        Raises:
            ConfigurationError: `live_trading_unavailable`, when the account has credentials.
        """
        if self._details.auth_details.are_present:
            raise ConfigurationError(
                "this release trades on paper only: remove `credentials` from the automation to simulate it",
                code="live_trading_unavailable",
            )
        return Repositories(
            markets=_PublicMarkets(self._source),
            tickers=_PublicTickers(self._source, self._now),
            ohlcv=_PublicOhlcv(self._source, self._now),
            funding=_PublicFunding(self._source, self._now),
            orders=_StoredOrders(self._elements),
            portfolio=_StoredPortfolio(self._elements),
            positions=_StoredPositions(self._elements),
            trades=_StoredTrades(self._elements),
        )


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


@dataclass(frozen=True, slots=True)
class _StoredPortfolio:
    elements: ExchangeAccountElements

    async def fetch(self) -> Portfolio:
        return self.elements.portfolio


@dataclass(frozen=True, slots=True)
class _StoredPositions:
    elements: ExchangeAccountElements

    async def fetch(self) -> Sequence[Position]:
        return self.elements.positions


@dataclass(frozen=True, slots=True)
class _StoredTrades:
    elements: ExchangeAccountElements

    async def fetch(self) -> Sequence[Trade]:
        return self.elements.trades
