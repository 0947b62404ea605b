"""A recorded market in memory: the candles of one symbol, looked at whenever a test wants to."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from engine.dsl import DataDependency
from engine.errors import OperatorError
from engine.market.bars import Bars, finished_bars
from engine.market.candles import Candles
from engine.market.funding import FundingRate
from engine.market.market import Market
from engine.market.market_protocols import Ticker
from engine.money import to_decimal
from engine.orders.account_protocols import Account, OrderFilter, OrderRequest
from engine.paper.context import PaperContext
from engine.state import ExchangeAccountElements, Order
from engine.types import OrderId, Symbol, TimeFrame

START = 1_700_006_400.0
HOUR, QUARTER = TimeFrame("1h"), TimeFrame("15m")

Row = tuple[float, float, float, float]
"""Open, high, low and close of a candle."""


def candles_of(rows: Sequence[Row], time_frame: TimeFrame = HOUR, start: float = START) -> Candles:
    """Candles without holes, the first of which opens at `start`."""
    step = Candles.from_rows(time_frame, []).step
    return Candles.from_rows(time_frame, [(start + at * step, *row, 1) for at, row in enumerate(rows)])


class CandleMarket:
    """A `MarketSource` whose price at any time is the open of the running candle, as in a recording."""

    def __init__(self, candles: Candles, market: Market, rates: Iterable[FundingRate] = ()) -> None:
        self.candles_ = candles
        self._market = market
        self._rates = list(rates)

    async def markets(self, missing: Collection[Symbol] = ()) -> Mapping[Symbol, Market]:
        return {self._market.symbol: self._market}

    async def candles(self, symbol: Symbol, time_frame: TimeFrame, *, now: float, count: int) -> Candles:
        raise NotImplementedError

    async def tickers(self, symbols: Collection[Symbol], *, now: float) -> Mapping[Symbol, Ticker]:
        known = self.candles_
        running = int(known.time.searchsorted(now, side="right")) - 1
        price, time = float(known.open[running]), float(known.time[running])
        if now >= known.closes_at:
            price, time = float(known.close[-1]), known.closes_at
        return {symbol: Ticker(symbol, to_decimal(price), time) for symbol in symbols}

    async def history(
        self, symbol: Symbol, *, since: float, now: float, fetched: Collection[TimeFrame] = ()
    ) -> Bars:
        return finished_bars(self.candles_, since=since, now=now)

    async def funding(self, symbol: Symbol, *, since: float, now: float) -> Sequence[FundingRate]:
        return [known for known in self._rates if since < known.time <= now]

    def take_notes(self) -> Sequence[str]:
        return ()

    async def close(self) -> None:
        """Nothing is held open."""


@dataclass
class Played:
    """What became of an account: as it is in the end, and the orders that left it unfilled on the way."""

    elements: ExchangeAccountElements
    ended: list[Order] = field(default_factory=list)

    @property
    def fills(self) -> list[tuple[str, Decimal, Decimal, float]]:
        """Id of the order, price, amount and time of each fill."""
        trades = self.elements.trades
        return [(trade.order_id or "", trade.price, trade.amount, trade.timestamp) for trade in trades]

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """How the orders ended that did not fill."""
        return [(order.id, order.status) for order in self.ended]


@dataclass(frozen=True)
class Step:
    """What an account does at one time: requests, a leverage, the name of an order to cancel."""

    time: float
    acts: Sequence[OrderRequest | int | str]


def play(
    source: CandleMarket, holdings: Mapping[str, str], steps: Iterable[Step], looks: Iterable[float]
) -> Played:
    """Invoke an account at every step and at every look; the order number `n` of a step is named `n@time`."""
    content = {asset: {"available": held, "total": held} for asset, held in holdings.items()}
    elements = ExchangeAccountElements.model_validate({"portfolio": {"content": content}})
    return asyncio.run(_play(source, Played(elements), {step.time: step for step in steps}, set(looks)))


async def _play(
    source: CandleMarket, played: Played, steps: Mapping[float, Step], looks: set[float]
) -> Played:
    for now in sorted({*steps, *looks}):
        async with PaperContext(played.elements, source=source, now=now, ids=str) as context:
            symbol = next(iter(await source.markets()))
            await context.require([DataDependency(symbol, None, "orders")])
            account = context.services()[Account]
            for number, act in enumerate(steps[now].acts if now in steps else ()):
                _do(account, symbol, act, f"{number}@{int(now - START)}")  # type: ignore[arg-type]
            played.elements, _ = context.sync_back()
            played.ended += played.elements.orders.missing_orders
    return played


def _do(account: Account, symbol: Symbol, act: OrderRequest | int | str, name: str) -> None:
    try:
        if isinstance(act, OrderRequest):
            account.place(act, lambda leg: f"{name}/{leg.partition('/')[2]}".rstrip("/"))
        elif isinstance(act, int):
            account.set_leverage(symbol, Decimal(act), lambda leg: f"{name}/{leg}")
        else:
            account.cancel(OrderFilter(ids=[OrderId(act)]), str)
    except OperatorError:
        pass
