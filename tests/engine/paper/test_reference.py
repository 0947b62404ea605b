"""The engine against the slow exchange: 500 random sequences of orders over recorded candles."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pytest

from engine.errors import OperatorError
from engine.market import MarketData
from engine.market.bars import finished_bars, join_bars, price_now
from engine.market.candles import Candles
from engine.market.market import Market
from engine.market.recordings import list_recorded
from engine.orders.account_protocols import OrderFilter, OrderRequest
from engine.orders.cancel_policy import CHAINED_PRICE, EXPIRATION_TIME
from engine.orders.exits import Exits, TakeProfit
from engine.paper.account import PaperAccount
from engine.state import ExchangeAccountElements
from engine.types import Asset, OrderId, Symbol
from tests.engine.paper.reference import AMOUNT_STEP, MAKER, PRICE_STEP, TAKER, Row, SlowExchange, Ticket, cut

BTC = Symbol("BTC/USDT")
RULES = Market(
    BTC, Asset("BTC"), Asset("USDT"), amount_tick=AMOUNT_STEP, price_tick=PRICE_STEP, maker=MAKER, taker=TAKER
)
HOLDINGS = {"BTC": Decimal(2), "USDT": Decimal(60_000)}
SAMPLE_MARKET = Path(__file__).parents[3] / "examples" / "sample_market"
BATCH, BATCHES = 50, 10


class PriceNow:
    """Market data that knows one price."""

    def __init__(self, price: Decimal) -> None:
        self.price = price

    def market(self, symbol: Symbol) -> Market:
        return RULES

    def mark_price(self, symbol: Symbol) -> Decimal:
        return self.price


class Both:
    """The engine's account and the slow exchange, side by side."""

    def __init__(self, candles: Candles, now: float) -> None:
        content = {asset: {"available": held, "total": held} for asset, held in HOLDINGS.items()}
        self.elements = ExchangeAccountElements.model_validate({"portfolio": {"content": content}})
        self.slow = SlowExchange(dict(HOLDINGS))
        self.candles = candles
        self.settled = now

    def advance(self, now: float, price: Decimal) -> PaperAccount:
        """Settle both up to `now`, and open the engine's account there."""
        data = cast("MarketData", PriceNow(price))  # what an account asks for
        account = PaperAccount(self.elements, data=data, now=now, ids=lambda name: name)
        account.restore()
        history = finished_bars(self.candles, since=self.settled, now=now)
        account.settle({BTC: join_bars((history, price_now(float(price), now)))})
        self.slow.walk(self._rows(now, float(price)), self.settled)
        self.settled = now
        return account

    def _rows(self, now: float, price: float) -> Iterator[Row]:
        for opens, first, high, low, close, _ in self.candles.table.T.tolist():
            if self.settled < opens + self.candles.step <= now:
                yield opens, opens + self.candles.step, first, low, high, close
        yield now, now, price, price, price, price


@pytest.mark.parametrize("batch", range(BATCHES))
def test_fills_and_balances_are_those_of_the_slow_exchange(batch: int) -> None:
    (hourly,) = [
        recording.candles()
        for recording in list_recorded(SAMPLE_MARKET, "binance")
        if (recording.symbol, recording.time_frame) == (BTC, "1h")
    ]
    fills = 0
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        with localcontext(prec=60):
            both = run_sequence(hourly, random.Random(seed))
        engine = [
            (trade.order_id, trade.price, trade.amount, trade.timestamp) for trade in both.elements.trades
        ]
        assert engine == both.slow.fills, f"seed {seed}"
        assert {asset: held.total for asset, held in both.elements.portfolio.content.items()} == {
            asset: held for asset, held in both.slow.held.items() if held
        }, f"seed {seed}"
        assert {asset: held.available for asset, held in both.elements.portfolio.content.items()} == {
            asset: both.slow.free(asset) for asset, held in both.slow.held.items() if held
        }, f"seed {seed}"
        assert [order.id for order in both.elements.orders.open_orders] == [
            one.name for one in both.slow.open
        ]
        fills += len(engine)
    assert fills > 3 * BATCH, "the sequences must make something happen"


def run_sequence(candles: Candles, dice: random.Random) -> Both:
    """Invoke both several times at random moments, with random orders and cancellations."""
    index = dice.randrange(len(candles) - 200)
    now = float(candles.time[index]) + dice.choice((0, 0, 1_234.5))
    both = Both(candles, now)
    for invocation in range(dice.randint(4, 9)):
        running = int(candles.time.searchsorted(now, side="right")) - 1
        price = Decimal(str(candles.open[running]))
        account = both.advance(now, price)
        for number in range(dice.randint(1, 4)):
            place(f"{invocation}-{number}", price, now, account, both.slow, dice)
        if dice.random() < 0.4 and both.slow.open:
            name = dice.choice(both.slow.open).name
            account.cancel(OrderFilter(ids=[OrderId(name)]), str)
            both.slow.cancel(name)
        both.elements = account.dump()
        now += dice.choice((600, 3_600, 3_600 * dice.randint(1, 40), 3_600 * dice.uniform(0.1, 20)))
    return both


def place(
    name: str, mark: Decimal, now: float, account: PaperAccount, slow: SlowExchange, dice: random.Random
) -> None:
    """Place one random order in both."""
    ticket, request, at_market = random_order(name, mark, now, dice)
    before = len(slow.open), len(slow.fills)
    slow.place(ticket, mark, now, at_market=at_market)
    try:
        account.place(request, lambda leg: f"{name}/{leg}")
    except OperatorError:
        assert before == (len(slow.open), len(slow.fills)), "only the engine refuses it"


def random_order(
    name: str, mark: Decimal, now: float, dice: random.Random
) -> tuple[Ticket, OrderRequest, bool]:
    """Draw an order, and say it in the words of both."""

    def near(low: float, high: float) -> Decimal:
        return cut(mark * Decimal(str(round(dice.uniform(low, high), 4))), PRICE_STEP)

    side, other = dice.choice((("buy", "sell"), ("sell", "buy")))
    up = side == "buy"
    amount = cut(Decimal(str(dice.uniform(0.01, 0.6))), AMOUNT_STEP)
    kind = dice.choice(("market", "limit", "limit", "limit", *KINDS))
    ticket = Ticket(f"{name}/0", side, amount)
    words: dict[str, Any] = {}
    if kind in ("limit", "stop_limit", "take_profit_limit"):
        ticket.price = words["price"] = near(0.97, 1.003) if up else near(0.997, 1.03)
    if kind in KINDS:
        ticket.stop_is_above = KINDS[kind] == up
        ticket.stop = words["stop_price"] = near(0.999, 1.03) if ticket.stop_is_above else near(0.97, 1.001)
    if kind == "trailing_stop":
        ticket.trailing_percent = words["trailing_percent"] = Decimal(dice.choice(("0.7", "2", "3.3")))
    entry = ticket.price or ticket.stop or mark
    if dice.random() < 0.5:
        ticket.exits, words["exits"] = random_exits(ticket, entry, other, dice)
    if dice.random() < 0.2:
        ticket.expires = now + dice.uniform(1_000, 50_000)
        words["cancel_policy"] = {"type": EXPIRATION_TIME, "expiration_time": ticket.expires}
    elif ticket.trailing_percent is None and dice.random() < 0.3:
        ticket.ends_at_exit, words["cancel_policy"] = True, {"type": CHAINED_PRICE}
    words |= {"type": kind, "side": side, "symbol": BTC, "amount": amount}
    return ticket, OrderRequest(**words), kind == "market"


KINDS = {
    "stop_loss": True,
    "stop_limit": True,
    "trailing_stop": True,
    "take_profit": False,
    "take_profit_limit": False,
}
"""Order types that wait for a stop price, and whether a buy waits for it from below."""


def random_exits(
    entry: Ticket, price: Decimal, side: str, dice: random.Random
) -> tuple[tuple[Ticket, ...], Exits]:
    """Draw a stop and up to three take-profits; some are on the wrong side, as people make mistakes."""
    sign = 1 if side == "sell" else -1

    def away(least: float, most: float) -> Decimal:
        return cut(price * Decimal(str(round(1 + sign * dice.uniform(least, most), 4))), PRICE_STEP)

    stop = away(-0.03, -0.002) if dice.random() < 0.7 else None
    profits = sorted((away(-0.002, 0.03) for _ in range(dice.randint(0, 3))), reverse=side == "buy")
    trails = stop is not None and bool(profits) and dice.random() < 0.5
    shares = [Fraction(1, len(profits)) for _ in profits]
    exits = Exits(stop, tuple(map(TakeProfit, profits, shares)), trails)
    amounts = [cut(entry.amount / len(profits), AMOUNT_STEP) for _ in profits[1:]]
    amounts.append(entry.amount - sum(amounts))  # the last absorbs rounding
    kind = "either" if len(profits) == 1 and not trails else "balanced"
    group = f"{kind}:{entry.name}" if stop is not None and profits else ""
    tickets = [
        Ticket(f"{entry.name}/tp{number}", side, amount, target, group=group)
        for number, (target, amount) in enumerate(zip(profits, amounts, strict=False), start=1)
    ]
    if stop is not None:
        ladder = (price, *profits[:-1]) if trails else ()
        above = side == "buy"
        first = Ticket(f"{entry.name}/stop", side, entry.amount, stop=stop, stop_is_above=above, group=group)
        tickets.insert(0, replace(first, ladder=ladder))
    return tuple(tickets), exits
