"""Whatever is done to a paper account: nothing appears or vanishes, and the same again gives the same."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.errors import OperatorError
from engine.market.market import Market
from engine.money import EXACT_CONTEXT
from engine.paper.book import PaperBook
from engine.paper.fills import Fill, limit_lock
from engine.paper.futures import FuturesBooking
from engine.paper.ledger import Ledger
from engine.state import Fee, Order, Side
from engine.types import Asset, OrderId, Symbol

BTC, USDT = Asset("BTC"), Asset("USDT")
START = {BTC: Decimal(5), USDT: Decimal(50_000)}
RULES = Market(Symbol("BTC/USDT"), BTC, USDT, maker=Decimal("0.0005"), taker=Decimal("0.001"))
PERPETUAL = Market(Symbol("BTC/USDT:USDT"), BTC, USDT, taker=Decimal("0.0005"), kind="future")
PAR = Decimal(15_000)
"""Price of every trade in the perpetual, so that it gains and loses nothing but fees and funding."""

AMOUNTS = st.decimals(min_value="0.00000001", max_value="3", places=8)
PRICES = st.decimals(min_value="10000", max_value="20000", places=2)
RATES = st.decimals(min_value="-0.003", max_value="0.003", places=8)
SHARES = st.decimals(min_value="0.01", max_value="0.99", places=2)

Step = Callable[["Desk"], None]


class Desk:
    """A book whose fills are added up on the side."""

    def __init__(self) -> None:
        self.ledger = Ledger(START)
        markets = {market.symbol: market for market in (RULES, PERPETUAL)}
        futures = FuturesBooking(self.ledger, (), markets.__getitem__)
        self.book = PaperBook(self.ledger, markets.__getitem__, self._record, futures)
        self.flow = dict(START)
        self.contracts = Decimal(0)

    def _record(self, order: Order, amount: Decimal, fill: Fill, fee: Fee) -> None:
        sign = 1 if order.side == "buy" else -1
        if order.symbol == PERPETUAL.symbol:
            self.contracts += sign * amount
            self.flow[USDT] = EXACT_CONTEXT.subtract(self.flow[USDT], fee.cost)
            return
        self.flow[BTC] += sign * amount
        self.flow[USDT] = EXACT_CONTEXT.subtract(
            self.flow[USDT], EXACT_CONTEXT.multiply(sign * amount, fill.price)
        )
        paid_in = fee.currency or USDT
        self.flow[paid_in] = EXACT_CONTEXT.subtract(self.flow[paid_in], fee.cost)

    def move(self, asset: Asset, amount: Decimal) -> None:
        self.ledger.change({asset: amount})
        self.flow[asset] = EXACT_CONTEXT.add(self.flow[asset], amount)

    def fund(self, rate: Decimal, mark: Decimal) -> None:
        """Let the market pay or be paid for what is held of the perpetual."""
        self.book.fund(PERPETUAL.symbol, rate, mark, 0)
        paid = EXACT_CONTEXT.multiply(self.contracts * mark, rate)
        self.flow[USDT] = EXACT_CONTEXT.subtract(self.flow[USDT], paid)

    def margin(self) -> Decimal:
        held = self.book.futures.position(PERPETUAL.symbol)
        return held.margin if held else Decimal(0)

    def balances(self) -> dict[Asset, tuple[Decimal, Decimal]]:
        return {asset: (self.ledger.available(asset), self.ledger.total(asset)) for asset in START}


class Conservation(RuleBasedStateMachine):
    """Creates, cancels, fills in whole and in part, holds futures, deposits and withdraws in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.steps: list[Step] = []

    def do(self, step: Step) -> None:
        """Take a step, and remember it; a refused one changes nothing."""
        before = self.desk.balances()
        try:
            step(self.desk)
        except OperatorError:
            assert self.desk.balances() == before
        self.steps.append(step)

    def any_order(self, data: st.DataObject) -> OrderId:
        return data.draw(st.sampled_from(sorted(self.desk.book.orders)))

    @rule(side=st.sampled_from(["buy", "sell"]), amount=AMOUNTS, price=PRICES, waits=st.booleans())
    def create(self, side: Side, amount: Decimal, price: Decimal, *, waits: bool) -> None:
        name, levels = OrderId(f"{len(self.steps):04}"), {"stop_price": price} if waits else {"price": price}

        def step(desk: Desk) -> None:
            kind = "stop_loss" if waits else "limit"
            order = Order(id=name, symbol=RULES.symbol, side=side, type=kind, amount=amount, **levels)
            above = price - 1 if side == "sell" else price + 1
            desk.book.enter(order, above, 0)

        self.do(step)

    @precondition(lambda self: self.desk.book.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        name = self.any_order(data)

        def step(desk: Desk) -> None:
            desk.book.cancel([desk.book.orders[name]])

        self.do(step)

    @precondition(lambda self: self.desk.book.orders)
    @rule(data=st.data(), share=st.none() | SHARES, maker=st.booleans())
    def fill(self, data: st.DataObject, share: Decimal | None, *, maker: bool) -> None:
        name = self.any_order(data)

        def step(desk: Desk) -> None:
            order = desk.book.orders[name]
            price = order.stop_price or order.price or Decimal(0)
            amount = None if share is None else RULES.floor_amount(order.remaining * share)
            if amount != 0:
                desk.book.fill(order, Fill(price, 0, "maker" if maker else "taker"), price, amount)

        self.do(step)

    @rule(side=st.sampled_from(["buy", "sell"]), amount=AMOUNTS)
    def trade_future(self, side: Side, amount: Decimal) -> None:
        name = OrderId(f"{len(self.steps):04}")

        def step(desk: Desk) -> None:
            order = Order(
                id=name, symbol=PERPETUAL.symbol, side=side, type="market", amount=amount, price=PAR
            )
            desk.book.enter(order, PAR, 0)

        self.do(step)

    @rule(rate=RATES, mark=PRICES)
    def fund(self, rate: Decimal, mark: Decimal) -> None:
        self.do(lambda desk: desk.fund(rate, mark))

    @rule(asset=st.sampled_from([BTC, USDT]), amount=AMOUNTS, comes=st.booleans())
    def transfer(self, asset: Asset, amount: Decimal, *, comes: bool) -> None:
        self.do(lambda desk: desk.move(asset, amount if comes else -amount))

    @invariant()
    def nothing_appears_or_vanishes(self) -> None:
        assert {asset: self.desk.ledger.total(asset) for asset in START} == self.desk.flow

    @invariant()
    def locks_are_what_open_orders_need_and_nothing_is_negative(self) -> None:
        needs = {BTC: Decimal(0), USDT: self.desk.margin()}
        for order in self.desk.book.orders.values():
            if order.stop_price is None:
                lock = limit_lock(RULES, order.side, order.remaining, order.price or Decimal(0))
                needs[lock.asset] = EXACT_CONTEXT.add(needs[lock.asset], lock.amount)
        for asset, (available, total) in self.desk.balances().items():
            assert 0 <= available <= total
            assert EXACT_CONTEXT.subtract(total, available) == needs[asset]

    def teardown(self) -> None:
        again = Desk()
        for step in self.steps:
            try:
                step(again)
            except OperatorError:
                continue
        assert again.balances() == self.desk.balances()


Conservation.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestConservation = Conservation.TestCase
