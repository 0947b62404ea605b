"""Random lives of a live account: prices move, answers and results are lost; the books agree in the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from engine.dsl import DataDependency
from engine.errors import OperatorError, RetryableError
from engine.live.venue.api import OrderReport, Unclear
from engine.orders.account_protocols import OrderFilter
from engine.orders.exits import Exits, TakeProfit
from engine.orders.options import TAKE_PROFITS_FIRST
from engine.types import Asset
from tests.support.live_run import LiveRun, asked, keyed
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import BTC

TRADED = DataDependency(BTC, None, "orders")
STEPS = 40


class Life:
    """One automation on spot, and everything that can happen to it.

    Args:
        seed: of all that happens.
        cancels: whether orders are cancelled too, by a script or elsewhere, so that coins lose their exits.
    """

    def __init__(self, seed: int, *, cancels: bool) -> None:
        self.random = Random(seed)
        self.exchange = MemoryExchange({BTC: 50_000}, {"USDT": 1_000_000})
        self.run = LiveRun(self.exchange)
        self.calls = 0
        self.events = [
            self.order,
            self.invoke,
            self.invoke,
            self.lose,
            self.fail,
            self.move,
            self.confuse,
            self.sleep,
        ]
        self.events += [self.cancel, self.cancel_elsewhere] if cancels else []

    async def live(self) -> None:
        """Let things happen, then let the automation come to rest in peace."""
        for _ in range(STEPS):
            await self.random.choice(self.events)()
        for _ in range(20):
            self.run.later(20)
            await self.run.invoke()
            if not (self.run.pending or self.run.elements.orders.closing_orders):
                return
        raise AssertionError(f"no rest: {self.run.pending}")

    async def order(self) -> None:
        """A script buys with exits, at the market or below it."""
        if self.run.pending:
            return
        price = self.exchange.market.prices[BTC]
        kind = self.random.choice(("market", "limit"))
        limit = {"price": str(price * self.random.choice((98, 99)) / 100)} if kind == "limit" else {}
        request = asked(kind, "buy", "1", exits=self.exits(price), **limit)
        await self.run.invoke(lambda account: account.place(request, self.call()), needs=[TRADED])

    async def cancel(self) -> None:
        """A script cancels all it has."""
        if self.run.orders and not self.run.pending:
            with suppress(OperatorError):
                await self.run.invoke(lambda account: account.cancel(OrderFilter(), self.call()))

    async def cancel_elsewhere(self) -> None:
        """A person cancels an order on the exchange's own site."""
        still_open = [report.id for report in self.exchange.orders.values() if report.status == "open"]
        if still_open:
            self.exchange.cancel_elsewhere(self.random.choice(still_open))

    def exits(self, price: Decimal) -> Exits:
        count = self.random.randint(0, 3)
        profits = [price * (102 + 2 * number) / 100 for number in range(count)]
        return Exits(
            stop=price * 95 / 100,
            take_profits=tuple(TakeProfit(profit, Fraction(1, count)) for profit in profits),
            trails=count > 0 and self.random.random() < 0.3,
            swap_strategy=self.random.choice((None, TAKE_PROFITS_FIRST)),
        )

    def call(self) -> Callable[[str], str]:
        """The keys of the next call."""
        self.calls += 1
        return keyed(f"call {self.calls}")

    async def invoke(self) -> None:
        self.run.later(self.random.choice((1, 20)))
        await self.run.invoke()

    async def lose(self) -> None:
        """The result of an invocation is lost: the worker was killed."""
        self.run.later(20)
        await self.run.invoke(result_is_lost=True)

    async def fail(self) -> None:
        """No read is answered, or none behind what is sent."""
        self.run.later(20)
        if self.random.random() < 0.3:
            self.exchange.read_error = RetryableError("no answer")
        self.exchange.portfolio = _unanswered  # type: ignore[method-assign, assignment]  # whatever it is asked
        await self.run.invoke_as_far_as_possible()
        self.exchange.read_error = None
        del self.exchange.portfolio

    async def sleep(self) -> None:
        """Everything is down for longer than a planned effect lives."""
        self.run.later(1_000)

    async def confuse(self) -> None:
        """The next effect is not answered."""
        self.exchange.will_answer(Unclear("no answer"), happens=self.random.random() < 0.5)

    async def move(self) -> None:
        """The price moves, and takes along what it reaches."""
        price = self.exchange.market.prices[BTC] * self.random.randint(94, 106) / 100
        self.exchange.market.prices[BTC] = price.quantize(Decimal(1))
        for report in list(self.exchange.orders.values()):
            if report.status == "open" and _is_reached(report, price):
                part = f"{(report.amount - report.filled) / 2}" if self.random.random() < 0.3 else None
                self.exchange.fill(report.id, part)


async def _unanswered() -> None:
    raise RetryableError("no answer")


def _is_reached(report: OrderReport, price: Decimal) -> bool:
    if report.stop_price is not None:
        return price <= report.stop_price
    assert report.price is not None
    return price <= report.price if report.side == "buy" else price >= report.price


@pytest.mark.parametrize("cancels", [False, True], ids=["undisturbed", "with cancellations"])
@pytest.mark.parametrize("seed", range(40))
async def test_the_state_is_what_the_exchange_s_books_say(seed: int, cancels: bool) -> None:
    life = Life(seed, cancels=cancels)
    await life.live()
    run, exchange = life.run, life.exchange
    listed = {report.id for report in exchange.orders.values() if report.status == "open"}
    assert {order.id for order in run.orders} == listed
    assert {trade.id for trade in run.trades} == {fill.id for fill in exchange.fills}
    assert run.elements.portfolio == await exchange.portfolio()
    clients = [report.client_order_id for report in exchange.orders.values()]
    assert len(clients) == len(set(clients)), "an order exists twice"

    held = exchange.balances.get(Asset("BTC"), Decimal(0))
    for_sale = sum(order.remaining for order in run.orders if order.side == "sell")
    partly = sum(order.filled for order in run.orders if order.side == "buy")
    assert for_sale <= held
    if not cancels:
        assert held - partly <= for_sale, "coins without an exit"
