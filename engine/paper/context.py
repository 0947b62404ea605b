"""`PaperContext`: the exchange's life inside one invocation, for simulated accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Self

from engine.errors import ConfigurationError, DslError, RetryableError
from engine.exchanges import RATE_LIMITED, concurrently
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
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> Sequence[str]:
        """What could not be had of the market, in words."""
        return list(dict.fromkeys([*self._notes, *self._source.take_notes()]))

    @property
    def data(self) -> MarketSnapshot:
        """The market data of the invocation."""
        return self._data

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
            [self._catch_up(symbol, start, histories, funding) for symbol, start in since.items()]
        )
        if histories:
            account.settle(histories, funding)
        for symbol in since.keys() - funding.keys():
            account.leave(symbol, since[symbol])
        return account

    async def _catch_up(
        self,
        symbol: Symbol,
        since: Timestamp,
        histories: dict[Symbol, Bars],
        funding: dict[Symbol, Sequence[FundingRate]],
    ) -> None:
        """Fetch what became of a symbol's market.

        While its candles cannot be had, its orders see the price now, and these candles later on; a symbol
        that is not listed any more has neither. The other symbols are settled all the same.
        """
        try:
            await self._add_history(symbol, since, histories)
            await self._add_funding(symbol, since, funding)
        except (DslError, ConfigurationError, RetryableError) as error:
            if error.code == RATE_LIMITED:
                raise
            self._notes[f"open orders and positions in {symbol} wait: {error.message}"] = None
            histories.pop(symbol, None)
            if (now := self._price_now(symbol)) is not None:
                histories[symbol] = now

    def _price_now(self, symbol: Symbol, *, after: Timestamp = 0) -> Bars | None:
        """Return the newest price, at the time at which it is known; None where there is none."""
        with suppress(DslError):
            newest = self._data.ticker(symbol)
            return price_now(float(newest.close), min(self._now, max(newest.timestamp, after)))
        return None

    async def _add_history(self, symbol: Symbol, since: Timestamp, histories: dict[Symbol, Bars]) -> None:
        """Fetch what the price of a symbol did since its orders and its position were last settled.

        Candles are fetched from the last whole one on that was settled: one that an invocation cut in two
        counts as a whole when it has closed.
        """
        since = self._elements.orders.settled_candles.get(symbol, since)
        history = await self._source.history(symbol, since=since, now=self._now)
        if history.missing:
            self._notes[told(symbol, history.missing)] = None
        now = self._price_now(symbol, after=float(history.closed[-1]) if len(history) else 0)
        if now is not None or len(history):
            histories[symbol] = history if now is None else join_bars((history, now))

    async def _add_funding(
        self, symbol: Symbol, since: Timestamp, funding: dict[Symbol, Sequence[FundingRate]]
    ) -> None:
        """Fetch the funding of a perpetual future, of which an open order may have become a position."""
        perpetual = self._data.market(symbol).is_perpetual
        funding[symbol] = await self._source.funding(symbol, since=since, now=self._now) if perpetual else ()


def _unsettled(symbol: Symbol, stored: ExchangeAccountElements) -> Timestamp:
    """Return since when a symbol's open orders and position are not settled."""
    created = [order.created_at for order in stored.orders.open_orders if order.symbol == symbol]
    since = max(stored.orders.settled_at, min(created, default=0))
    return stored.orders.unsettled_since.get(symbol, since)
