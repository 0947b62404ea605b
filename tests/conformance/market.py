"""The market and the account that a case describes: a source of public data, and account elements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Final

from engine.errors import RetryableError
from engine.market.bars import Bars, finished_bars
from engine.market.candles import COLUMNS, Candles
from engine.market.funding import FundingRate
from engine.market.market import Bounds, Market
from engine.market.market_protocols import Ticker
from engine.state import ExchangeAccountElements
from engine.types import Asset, Symbol, TimeFrame
from tests.conformance.corpus import CandleSet, Case

_RESTING: Final = {
    "buy": {"type": "limit", "amount": "1", "price": "1"},
    "sell": {"type": "limit", "amount": "1", "price": "100"},
}
"""What cases leave out of their open orders; at the price of 10 that such cases get, none of them fills."""


class CaseMarket:
    """A `MarketSource` that knows what one case says of the market."""

    def __init__(self, case: Case) -> None:
        context = case.context
        self._rules = context.get("exchange") or {}
        self._candles = _with_live_candle(case.candles, context.get("live_candle"))
        self._prices: dict[str, str | None] = dict(context.get("mark_prices") or {})
        if "mark_price" in context:
            self._prices[context["symbol"]] = context["mark_price"]
        self._prices |= {order["symbol"]: "10" for order in context.get("open_orders") or ()}
        self._symbols = {*self._prices, *self._candles}

    async def markets(self, missing: Collection[Symbol] = ()) -> Mapping[Symbol, Market]:
        """Return a market with the case's limits for each symbol that it names."""
        return {Symbol(symbol): self._market(symbol) for symbol in self._symbols}

    async def candles(self, symbol: Symbol, time_frame: TimeFrame, *, now: float, count: int) -> Candles:
        """Return the case's candles; prices that it leaves out are those of the close."""
        columns = self._candles.get(symbol, {}).get(time_frame)
        if columns is None:
            raise RetryableError(f"there are no candles of {symbol} {time_frame}")
        rows = zip(*(columns.get(name, columns["close"]) for name in COLUMNS), strict=True)
        return Candles.from_rows(time_frame, list(rows)[-count:])

    async def tickers(self, symbols: Collection[Symbol], *, now: float) -> Mapping[Symbol, Ticker]:
        """Return the case's mark prices."""
        prices = {symbol: self._prices.get(symbol) for symbol in symbols}
        return {
            symbol: Ticker(symbol, Decimal(price), now)
            for symbol, price in prices.items()
            if price is not None
        }

    async def history(self, symbol: Symbol, *, since: float, now: float) -> Bars:
        """Return nothing: in a case, no time has passed."""
        empty = Candles.from_rows(TimeFrame("1m"), [])
        return finished_bars(empty, since=since, now=now)

    async def funding(self, symbol: Symbol, *, since: float, now: float) -> Sequence[FundingRate]:
        """Return nothing: in a case, no time has passed."""
        return ()

    def take_notes(self) -> Sequence[str]:
        """Nothing: a test knows what it gives."""
        return ()

    async def close(self) -> None:
        """Nothing is held open."""

    def _market(self, symbol: str) -> Market:
        rules = self._rules
        base, _, quote = symbol.partition("/")
        digits = rules.get("amount_decimals", 8)
        return Market(
            symbol=Symbol(symbol),
            base=Asset(base),
            quote=Asset(quote),
            amount_tick=Decimal(1).scaleb(-digits),
            amount=Bounds(minimum=_decimal(rules.get("min_amount"))),
            cost=Bounds(minimum=_decimal(rules.get("min_cost"))),
            stops=rules.get("supports_stop_loss", True),
        )


def account_elements(case: Case) -> ExchangeAccountElements:
    """Return the case's account; orders that are cancelled, closed or refuse to be are not open any more."""
    context = case.context
    holdings = context.get("portfolio") or {}
    orders = context.get("open_orders") or []
    outcomes = context.get("cancel_results") or [True] * len(orders)
    still_open = [
        {key: order[key] for key in ("id", "symbol", "side")} | _RESTING[order["side"]]
        for order, cancelled in zip(orders, outcomes, strict=True)
        if cancelled and not order["cancelled"] and not order["closed"]
    ]
    if orders:
        holdings = {asset: 1_000 for order in orders for asset in order["symbol"].split("/")}
    content = {asset: {"available": str(held), "total": str(held)} for asset, held in holdings.items()}
    return ExchangeAccountElements.model_validate(
        {"portfolio": {"content": content}, "orders": {"open_orders": still_open}}
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _with_live_candle(candles: CandleSet, live: Mapping[str, float] | None) -> CandleSet:
    """Move the newest close, or append a candle with the moved close and drop the oldest."""
    if live is None:
        return candles
    return {
        symbol: {frame: _live(columns, live) for frame, columns in frames.items()}
        for symbol, frames in candles.items()
    }


def _live(columns: Mapping[str, list[float]], live: Mapping[str, float]) -> Mapping[str, list[float]]:
    moved = columns["close"][-1] + live["add"]
    if not live["time_delta_s"]:
        return {**columns, "close": [*columns["close"][:-1], moved]}
    newest = {"time": columns["time"][-1] + live["time_delta_s"], "volume": 0.0}
    return {name: [*column[1:], newest.get(name, moved)] for name, column in columns.items()}
