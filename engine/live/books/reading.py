"""What one look at a live account fetches: its orders and fills, its balances, its positions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from engine.exchange.repositories import Repositories
from engine.exchanges.concurrency import concurrently
from engine.live.books.catch_up import CaughtUp, catch_up
from engine.state import ExchangeAccountElements, Order, Portfolio, Position
from engine.types import OrderId, Symbol, Timestamp


@dataclass(slots=True)
class Reading:
    """Fills up as its parts are fetched.

    Attributes:
        repositories: of the account.
        traded: symbols whose positions are wanted, besides those that the account is known to have.
        caught_up: what became of the automation's orders.
        portfolio: balances of the whole account.
        positions: futures positions.
    """

    repositories: Repositories
    traded: Collection[Symbol]
    caught_up: CaughtUp = field(default_factory=CaughtUp)
    portfolio: Portfolio = field(default_factory=Portfolio)
    positions: Sequence[Position] = ()

    async def catch_up(
        self, elements: ExchangeAccountElements, placed: Mapping[OrderId, Order], now: Timestamp
    ) -> None:
        """Find out what became of the stored orders; `placed` ones were told of a moment ago."""
        self.caught_up = await catch_up(
            elements.orders,
            elements.trades,
            self.repositories.orders,
            self.repositories.trades,
            fresh=placed,
            now=now,
        )

    async def fetch_holdings(self) -> None:
        """Fetch balances and positions."""
        await concurrently([self._fetch_portfolio(), self._fetch_positions()])

    async def _fetch_portfolio(self) -> None:
        self.portfolio = await self.repositories.portfolio.fetch()

    async def _fetch_positions(self) -> None:
        self.positions = await self.repositories.positions.fetch(self.traded)
