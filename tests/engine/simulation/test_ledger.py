"""The ledger: exact, never negative, and never off by a lock."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from engine.errors import ActionStatus, OperatorError
from engine.exchange import Market
from engine.simulation.fills import Fill, balance_changes, fee_of, limit_lock
from engine.simulation.ledger import Ledger, Lock
from engine.state import OrderType, Side
from engine.types import Asset, OrderId, Symbol

BTC, USDT = Asset("BTC"), Asset("USDT")
SYMBOL = Symbol("BTC/USDT")
FEE_IN_GAIN = Market(SYMBOL, BTC, USDT, maker=Decimal("0.0005"), taker=Decimal("0.001"))
FEE_IN_QUOTE = Market(SYMBOL, BTC, USDT, maker=Decimal("0.0005"), taker=Decimal("0.001"), fee_side="quote")


class Desk:
    """A ledger with orders by name, so that an example reads like the one in the documentation."""

    def __init__(self, **totals: str) -> None:
        self.ledger = Ledger({Asset(asset): Decimal(total) for asset, total in totals.items()})
        self._orders: dict[str, tuple[Market, OrderType, Side, Decimal]] = {}

    def create(
        self, name: str, side: Side, amount: str, price: str, market: Market, order_type: OrderType = "limit"
    ) -> None:
        self._orders[name] = market, order_type, side, Decimal(amount)
        if order_type in ("market", "limit"):
            self.ledger.lock(OrderId(name), limit_lock(market, side, Decimal(amount), Decimal(price)))

    def cancel(self, name: str) -> None:
        self.ledger.release(OrderId(name))

    def fill(self, name: str, price: str, *, maker: bool) -> None:
        market, _, side, amount = self._orders[name]
        fill = Fill(Decimal(price), 0, "maker" if maker else "taker")
        fee = fee_of(market, side, amount, fill)
        self.ledger.fill(OrderId(name), balance_changes(market, side, amount, fill.price, fee))

    def holds(self, asset: Asset) -> tuple[Decimal, Decimal]:
        return self.ledger.available(asset), self.ledger.total(asset)


def exactly(available: str, total: str) -> tuple[Decimal, Decimal]:
    return Decimal(available), Decimal(total)


def test_the_worked_example_comes_out_to_the_last_digit() -> None:
    desk = Desk(BTC="10", USDT="1000")
    desk.create("market sell", "sell", "3", "70", FEE_IN_GAIN, "market")
    desk.create("stop", "sell", "4.2", "80", FEE_IN_GAIN, "stop_loss")
    desk.create("sell", "sell", "4.2", "100", FEE_IN_QUOTE)
    desk.create("first buy", "buy", "2", "50", FEE_IN_QUOTE)
    desk.create("second buy", "buy", "2", "50", FEE_IN_GAIN)
    assert desk.holds(BTC) == exactly("2.8", "10")
    assert desk.holds(USDT) == exactly("799.9", "1000")

    desk.cancel("stop")
    desk.cancel("sell")
    desk.fill("first buy", "50", maker=True)
    assert desk.holds(BTC) == exactly("9", "12")
    assert desk.holds(USDT) == exactly("799.95", "899.95")

    desk.fill("market sell", "70", maker=False)
    assert desk.holds(BTC) == exactly("9", "9")
    assert desk.holds(USDT) == exactly("1009.74", "1109.74")

    desk.fill("second buy", "50", maker=True)
    assert desk.holds(BTC) == exactly("10.999", "10.999")
    assert desk.holds(USDT) == exactly("1009.74", "1009.74")


def test_a_buy_locks_its_cost_and_the_dearest_fee_that_it_pays_in_quote() -> None:
    desk = Desk(BTC="10", USDT="1000")
    desk.create("buy", "buy", "4", "50", FEE_IN_QUOTE)
    assert desk.holds(USDT) == exactly("799.8", "1000")


def test_a_fill_returns_what_it_did_not_need_of_the_lock() -> None:
    desk = Desk(USDT="300")
    desk.create("buy", "buy", "1", "100", FEE_IN_GAIN)
    desk.fill("buy", "90", maker=False)
    assert desk.holds(USDT) == exactly("210", "210")
    assert desk.holds(BTC) == exactly("0.999", "0.999")


def test_a_partial_fill_keeps_the_rest_locked() -> None:
    ledger = Ledger({BTC: Decimal(10)})
    ledger.lock(OrderId("sell"), Lock(BTC, Decimal(8)))
    ledger.fill(OrderId("sell"), {BTC: Decimal("-7.5"), USDT: Decimal(450)}, keep=Lock(BTC, Decimal("0.5")))
    assert (ledger.available(BTC), ledger.total(BTC)) == exactly("2", "2.5")
    assert ledger.lock_of(OrderId("sell")) == Lock(BTC, Decimal("0.5"))


def test_more_than_available_is_refused_and_changes_nothing() -> None:
    desk = Desk(USDT="1000")
    with pytest.raises(OperatorError, match="50000 USDT needed, 1000 USDT available") as refused:
        desk.create("buy", "buy", "5000", "10", FEE_IN_GAIN)
    assert refused.value.status is ActionStatus.NOT_ENOUGH_FUNDS
    assert desk.holds(USDT) == exactly("1000", "1000")


def test_a_fill_that_cannot_be_paid_is_refused_and_keeps_the_lock() -> None:
    ledger = Ledger({USDT: Decimal(100)})
    ledger.lock(OrderId("buy"), Lock(USDT, Decimal(60)))
    ledger.lock(OrderId("other"), Lock(USDT, Decimal(40)))
    with pytest.raises(OperatorError, match="USDT"):
        ledger.fill(OrderId("buy"), {USDT: Decimal(-70), BTC: Decimal(1)})
    assert ledger.available(USDT) == 0
    assert ledger.lock_of(OrderId("buy")) == Lock(USDT, Decimal(60))
    assert ledger.total(BTC) == 0


def test_balances_with_many_digits_do_not_drift() -> None:
    ledger = Ledger({USDT: Decimal(10) ** 15})
    for _ in range(1_000):
        ledger.change({USDT: Decimal("0.000000000000000001")})
    assert ledger.total(USDT) == Decimal("1000000000000000.000000000000001")


AMOUNTS = st.decimals(min_value="0.00000001", max_value="1000", places=8)
PRICES = st.decimals(min_value="0.01", max_value="100000", places=2)


class LedgerConservation(RuleBasedStateMachine):
    """Whatever happens: nothing appears or vanishes, nothing is negative, locks are what open orders need."""

    orders: Bundle[tuple[OrderId, Market, Side, Decimal, Decimal]] = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger({BTC: Decimal(5), USDT: Decimal(50_000)})
        self.expected = {BTC: Decimal(5), USDT: Decimal(50_000)}
        self.open: dict[OrderId, Lock] = {}
        self.count = 0

    @rule(
        target=orders,
        market=st.sampled_from([FEE_IN_GAIN, FEE_IN_QUOTE]),
        side=st.sampled_from(["buy", "sell"]),
        amount=AMOUNTS,
        price=PRICES,
    )
    def create(self, market: Market, side: Side, amount: Decimal, price: Decimal) -> object:
        self.count += 1
        order_id = OrderId(str(self.count))
        lock = limit_lock(market, side, amount, price)
        try:
            self.ledger.lock(order_id, lock)
        except OperatorError:
            assert lock.amount > self.ledger.available(lock.asset)
            return multiple()
        self.open[order_id] = lock
        return order_id, market, side, amount, price

    @rule(order=consumes(orders))
    def cancel(self, order: tuple[OrderId, Market, Side, Decimal, Decimal]) -> None:
        lock = self.open.pop(order[0])
        before = self.ledger.available(lock.asset)
        self.ledger.release(order[0])
        assert self.ledger.available(lock.asset) - before == lock.amount

    @rule(order=consumes(orders), liquidity=st.sampled_from(["maker", "taker"]))
    def fill(self, order: tuple[OrderId, Market, Side, Decimal, Decimal], liquidity: str) -> None:
        order_id, market, side, amount, price = order
        fill = Fill(price, 0, "maker" if liquidity == "maker" else "taker")
        fee = fee_of(market, side, amount, fill)
        self.ledger.fill(order_id, balance_changes(market, side, amount, price, fee))
        del self.open[order_id]
        sign = 1 if side == "buy" else -1
        self.expected[BTC] += sign * amount - (fee.cost if fee.currency == BTC else 0)
        self.expected[USDT] -= sign * amount * price + (fee.cost if fee.currency == USDT else 0)

    @rule(asset=st.sampled_from([BTC, USDT]), amount=AMOUNTS)
    def deposit(self, asset: Asset, amount: Decimal) -> None:
        self.ledger.change({asset: amount})
        self.expected[asset] += amount

    @rule(asset=st.sampled_from([BTC, USDT]), amount=AMOUNTS)
    def withdraw(self, asset: Asset, amount: Decimal) -> None:
        try:
            self.ledger.change({asset: -amount})
        except OperatorError:
            assert amount > self.ledger.available(asset)
        else:
            self.expected[asset] -= amount

    @invariant()
    def nothing_appears_or_vanishes(self) -> None:
        assert {asset: self.ledger.total(asset) for asset in self.expected} == self.expected

    @invariant()
    def locks_are_what_open_orders_need(self) -> None:
        for asset in self.expected:
            locked = sum((lock.amount for lock in self.open.values() if lock.asset == asset), Decimal(0))
            assert self.ledger.total(asset) - self.ledger.available(asset) == locked
            assert self.ledger.available(asset) >= 0


LedgerConservation.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLedgerConservation = LedgerConservation.TestCase
