"""The worked numbers of the corpus that are given in words."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import ActionStatus, DslError
from engine.market.market import Market
from engine.paper.book import PaperBook
from engine.paper.fills import Fill
from engine.paper.futures import FuturesBooking
from engine.paper.ledger import Ledger
from engine.state import Order, Side
from engine.types import Asset, OrderId, Symbol
from tests.support.memory_market import BTC, MemoryMarket
from tests.support.paper import run_script

USDT = Asset("USDT")
FREE = Market(BTC, Asset("BTC"), USDT, maker=Decimal(0), taker=Decimal(0))
RATE = Decimal("0.001")
IN_BASE = Market(BTC, Asset("BTC"), USDT, maker=RATE, taker=RATE, fee_side="base")
IN_QUOTE = Market(BTC, Asset("BTC"), USDT, maker=RATE, taker=RATE, fee_side="quote")


class Desk:
    """A book of orders by name: `"sell 4@90"`, `"stop sell 2@10"`."""

    def __init__(self, market: Market = FREE, **totals: str) -> None:
        self.markets = {market.symbol: market}
        self.ledger = Ledger({Asset(asset): Decimal(total) for asset, total in totals.items()})
        futures = FuturesBooking(self.ledger, (), self.markets.__getitem__)
        self.book = PaperBook(self.ledger, self.markets.__getitem__, lambda *_: None, futures)

    def create(self, *names: str, market: Market = FREE) -> None:
        self.markets[market.symbol] = market
        for name in names:
            kind, side, numbers = ("limit " + name).split()[-3:]
            amount, price = map(Decimal, numbers.split("@"))
            waits = {"stop_price": price} if kind == "stop" else {"price": price}
            order = Order(
                id=OrderId(name),
                symbol=market.symbol,
                side="buy" if side == "buy" else "sell",
                type="stop_loss" if kind == "stop" else "limit",
                amount=amount,
                **waits,
            )
            self.book.restore([order])

    def fill(self, *names: str) -> None:
        for name in names:
            order = self.book.orders[OrderId(name)]
            price = order.stop_price or order.price or Decimal(0)
            self.book.fill(order, Fill(price, 0, "taker"), price)

    def cancel(self, *names: str) -> None:
        self.book.cancel([self.book.orders[OrderId(name)] for name in names])

    def holds(self, asset: str) -> tuple[Decimal, Decimal]:
        return self.ledger.available(Asset(asset)), self.ledger.total(Asset(asset))


def both(amount: str) -> tuple[Decimal, Decimal]:
    """Available and total are the same."""
    return Decimal(amount), Decimal(amount)


def test_a_stop_locks_nothing() -> None:
    desk = Desk(BTC="10", USDT="1000")
    desk.create("stop sell 4@60", "sell 4@90", "buy 4@50")
    assert desk.holds("BTC") == (Decimal(6), Decimal(10))
    assert desk.holds("USDT") == (Decimal(800), Decimal(1000))


@pytest.mark.parametrize(("side", "base", "quote"), [("sell", "6", "1240"), ("buy", "14", "760")])
def test_a_stop_trades_at_its_price(side: Side, base: str, quote: str) -> None:
    desk = Desk(BTC="10", USDT="1000")
    desk.create(f"stop {side} 4@60")
    desk.fill(f"stop {side} 4@60")
    assert (desk.holds("BTC"), desk.holds("USDT")) == (both(base), both(quote))


def test_many_orders_some_of_which_are_cancelled() -> None:
    desk = Desk(BTC="10", USDT="1000")
    desk.create(
        "stop sell 2@10", "stop sell 1@20", "sell 4@90", "sell 2@10", "sell 1@20", "buy 2@60", "buy 4@50"
    )
    desk.cancel("stop sell 1@20", "sell 2@10", "buy 2@60")
    desk.fill("stop sell 2@10", "sell 4@90", "sell 1@20", "buy 4@50")
    assert (desk.holds("BTC"), desk.holds("USDT")) == (both("7"), both("1200"))

    desk.create("stop buy 4@20")
    desk.fill("stop buy 4@20")
    assert (desk.holds("BTC"), desk.holds("USDT")) == (both("11"), both("1120"))


def test_fees_are_locked_where_they_are_due_in_what_is_given() -> None:
    desk = Desk(BTC="10", USDT="1000")
    desk.create("sell 4@90", market=IN_BASE)
    desk.create("sell 2@10", "sell 1@20", "sell 0.2@50", "sell 0.7@11", market=IN_QUOTE)
    desk.create("buy 2@60", "buy 4@50", market=IN_QUOTE)
    desk.create("buy 2@46", "buy 1.78@41", "buy 3.72448@0.2122427", "buy 1.05@430", market=IN_BASE)
    desk.create("stop sell 5@80", "stop sell 1@70", "stop buy 1@90", "stop buy 2@120", market=IN_BASE)
    assert round(desk.holds("BTC")[0], 1) == Decimal("2.1")
    assert round(desk.holds("USDT")[0], 7) == Decimal("62.4095063")


def test_several_symbols_share_the_ledger() -> None:
    eth, ltc = (Symbol(symbol) for symbol in ("ETH/USDT", "LTC/BTC"))
    desk = Desk(BTC="10", USDT="1000")
    free: Any = {"maker": Decimal(0), "taker": Decimal(0)}
    desk.create("buy 100@7", market=Market(eth, Asset("ETH"), USDT, **free))
    desk.create("buy 100@0.0135222", market=Market(ltc, Asset("LTC"), Asset("BTC"), **free))
    desk.fill("buy 100@7", "buy 100@0.0135222")
    held: Sequence[tuple[str, str]] = [("ETH", "100"), ("LTC", "100"), ("BTC", "8.64778"), ("USDT", "300")]
    for asset, amount in held:
        assert desk.holds(asset) == both(amount)


async def test_each_share_of_the_available_is_of_what_the_order_before_left() -> None:
    market = MemoryMarket({BTC: "500"}, markets=[FREE])
    script = "[{0}, {0}, {0}]".format("limit('sell', 'BTC/USDT', '80%a', '10d')")
    placed = await run_script(script, market, {"BTC": 20, "USDT": 40_000})
    market.prices[BTC] = Decimal(510)
    filled = await run_script("total('BTC')", market, placed.elements, now=1_700_010_000)
    held = filled.elements.portfolio.content
    assert (held[Asset("BTC")].total, held[USDT].total) == (Decimal("0.16"), Decimal("50118.40"))


async def test_a_stop_is_refused_where_the_exchange_has_none_and_nothing_is_bought() -> None:
    no_stops = MemoryMarket({BTC: "50000"}, markets=[Market(BTC, Asset("BTC"), USDT, stops=False)])
    script = "market('buy', 'BTC/USDT', '20q', stop_loss_price='-10%')"
    with pytest.raises(DslError, match="STOP_LOSS orders are not supported") as refused:
        await run_script(script, no_stops, {"USDT": 1_000})
    assert refused.value.status is ActionStatus.UNSUPPORTED_STOP_ORDER
