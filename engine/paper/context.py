"""`PaperContext`: the exchange's life inside one invocation, for simulated accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Self

from engine.exchanges import concurrently
from engine.market import (
    Bars,
    CandleKey,
    FundingRate,
    MarketData,
    MarketSnapshot,
    MarketSource,
    join_bars,
    price_now,
    told,
    wanted,
)
from engine.money import ZERO
from engine.orders import Account
from engine.paper.account import PaperAccount
from engine.state import ExchangeAccountElements
from engine.types import Symbol, Timestamp

if TYPE_CHECKING:
    from engine.dsl import DataDependency


class PaperContext:
    """Market data and account of one invocation; fetches what is required, when it is required.

    The first `require` opens the account: its open orders lock their funds again, and fill where the market
    reached them since the last invocation.

    Args:
        elements: the stored account; it is not changed.
        source: public data of the exchange; closed with the context.
        now: market time of the invocation, UNIX seconds.
        ids: gives the deterministic id of anything that has a name of its own.
        slippage: share of the price by which paper market orders fill worse.
    """

    def __init__(
        self,
        elements: ExchangeAccountElements,
        *,
        source: MarketSource,
        now: Timestamp,
        ids: Callable[[str], str],
        slippage: Decimal = ZERO,
    ) -> None:
        self._elements = elements
        self._source = source
        self._now = now
        self._ids = ids
        self._slippage = slippage
        self._data = MarketSnapshot(source, now)
        self._account: PaperAccount | None = None
        self._notes: list[str] = []

    @property
    def notes(self) -> Sequence[str]:
        """What could not be had of the market, in words."""
        return self._notes

    async def require(self, dependencies: Iterable[DataDependency]) -> None:
        """Fetch what the dependencies name and is not there yet, concurrently; open the account first.

        Raises:
            RetryableError: the exchange does not answer.
            ConfigurationError: the recorded market or the stored account cannot be used.
        """
        tickers, candles = wanted(dependencies)
        if self._account is None:
            self._account = await self._open(tickers, candles)
        else:
            await self._data.fetch(tickers, candles)

    def services(self) -> Mapping[type, object]:
        """Return what operators may ask for, by protocol."""
        return {MarketData: self._data, Account: self._account} if self._account else {MarketData: self._data}

    def sync_back(self) -> tuple[ExchangeAccountElements, tuple[str, ...]]:
        """Return the account as it is now, and the names of the elements that changed."""
        if self._account is None:
            return self._elements, ()
        elements = self._account.dump()
        return elements, elements.changes_since(self._elements)

    async def close(self) -> None:
        """Release the exchange's connections."""
        await self._source.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _open(self, tickers: set[Symbol], candles: Mapping[CandleKey, int]) -> PaperAccount:
        stored = self._elements
        exposed = dict.fromkeys(stored.exposed_symbols())
        await self._data.fetch(tickers | exposed.keys(), candles)
        account = PaperAccount(stored, data=self._data, now=self._now, ids=self._ids, slippage=self._slippage)
        account.restore()
        histories: dict[Symbol, Bars] = {}
        funding: dict[Symbol, Sequence[FundingRate]] = {}
        since = {symbol: start for symbol in exposed if (start := _unsettled(symbol, stored)) < self._now}
        await concurrently(
            [self._add_history(symbol, start, histories) for symbol, start in since.items()]
            + [self._add_funding(symbol, start, funding) for symbol, start in since.items()]
        )
        if histories:
            account.settle(histories, funding)
        return account

    async def _add_history(self, symbol: Symbol, since: Timestamp, histories: dict[Symbol, Bars]) -> None:
        """Fetch what the price of a symbol did since its orders and its position were last settled.

        Candles are fetched from the last whole one on that was settled: one that an invocation cut in two
        counts as a whole when it has closed.
        """
        since = self._elements.orders.settled_candles.get(symbol, since)
        history = await self._source.history(symbol, since=since, now=self._now)
        if history.missing:
            self._notes.append(told(symbol, history.missing))
        newest = self._data.ticker(symbol)
        closed = float(history.closed[-1]) if len(history) else 0
        at = min(self._now, max(newest.timestamp, closed))
        histories[symbol] = join_bars((history, price_now(float(newest.close), at)))

    async def _add_funding(
        self, symbol: Symbol, since: Timestamp, funding: dict[Symbol, Sequence[FundingRate]]
    ) -> None:
        """Fetch the funding of a perpetual future, of which an open order may have become a position."""
        if self._data.market(symbol).is_perpetual:
            funding[symbol] = await self._source.funding(symbol, since=since, now=self._now)


def _unsettled(symbol: Symbol, stored: ExchangeAccountElements) -> Timestamp:
    """Return since when a symbol's open orders and position are not settled."""
    created = [order.created_at for order in stored.orders.open_orders if order.symbol == symbol]
    return max(stored.orders.settled_at, min(created, default=0))
