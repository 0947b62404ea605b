"""The ledger: exact, never negative, and never off by a lock."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.errors import ActionStatus, OperatorError
from engine.market.market import Market
from engine.paper.fills import Fill, balance_changes, fee_of, limit_lock
from engine.paper.ledger import Ledger, Lock
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
