"""What counts as the order that was meant, and what the state then holds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.effects.intents import Placed
from engine.exchanges.capabilities import Capabilities
from engine.live.guard.adoption import adopted, differences, outcome_of, taken_as_it_is, total_fee
from engine.live.venue.api import OrderReport
from engine.state import Fee, Order
from engine.types import Asset, OrderId
from tests.support.intents import market_order, order

EXACT = Capabilities()
BY_COST = Capabilities(market_buys_by_cost=True)


def report(of: Order, **changes: Any) -> OrderReport:
    """The exchange's view of an order, exactly as it was meant unless told otherwise."""
    same = OrderReport(
        id=OrderId("7"),
        client_order_id=of.client_order_id,
        symbol=of.symbol,
        side=of.side,
        kind=of.type,
        amount=of.amount,
        filled=Decimal(0),
        status="open",
        created_at=100.0,
        price=of.price,
        stop_price=of.stop_price,
    )
    return replace(same, **changes)


STOP = order(type="stop_loss", side="sell", price=None, stop_price="30000")
STOP_LIMIT = order(type="stop_limit", side="sell", price="29900", stop_price="30000")


@pytest.mark.parametrize("meant", [order(), market_order(), STOP, STOP_LIMIT])
def test_an_order_as_it_was_meant_is_the_same(meant: Order) -> None:
    assert differences(meant, report(meant), EXACT) == []


def test_numbers_are_compared_by_value() -> None:
    assert differences(order(amount="0.010"), report(order(), price=Decimal("40000.00")), EXACT) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"symbol": "ETH/USDT"}, "symbol ETH/USDT instead of BTC/USDT"),
        ({"side": "sell"}, "side sell instead of buy"),
        ({"amount": Decimal("0.0100001")}, "amount 0.0100001 instead of 0.01"),
        ({"price": Decimal(40_001)}, "price 40001 instead of 40000"),
        ({"price": None}, "price None instead of 40000"),
        ({"stop_price": Decimal(39_000)}, "stop_price 39000 instead of None"),
        ({"kind": "market"}, "type market instead of limit"),
    ],
)
def test_any_difference_is_told(changes: dict[str, Any], said: str) -> None:
    assert differences(order(), report(order(), **changes), EXACT) == [said]


def test_a_stop_at_another_price_is_another_stop() -> None:
    moved = report(STOP, stop_price=Decimal(31_000))

    assert differences(STOP, moved, EXACT) == ["stop_price 31000 instead of 30000"]


def test_the_price_of_a_market_order_is_what_it_filled_at() -> None:
    assert differences(market_order(), report(market_order(), price=Decimal(50_000)), EXACT) == []


@pytest.mark.parametrize("word", [None, "conditional", "LIMIT_MAKER", "limit"])
def test_an_exchange_may_have_its_own_word_for_a_type(word: str | None) -> None:
    assert differences(order(), report(order(), kind=word), EXACT) == []


def test_the_amount_of_a_market_buy_is_free_only_where_it_is_counted_in_quote() -> None:
    other = report(market_order(), amount=Decimal("0.0099"))

    assert differences(market_order(), other, BY_COST) == []
    assert differences(market_order(), other, EXACT)
    assert differences(market_order(side="sell"), replace(other, side="sell"), BY_COST)


def test_what_only_the_exchange_knows_is_taken_over() -> None:
    fee = Fee(cost=Decimal("0.4"), currency=Asset("USDT"))
    known = report(order(), filled=Decimal("0.004"), average=Decimal(39_900), fees=(fee,))

    taken = adopted(order(tag="mine"), known)

    assert (taken.id, taken.filled, taken.status, taken.created_at) == ("7", Decimal("0.004"), "open", 100)
    assert (taken.price, taken.fee, taken.tag) == (Decimal(40_000), fee, "mine")


def test_an_order_whose_answer_tells_no_time_is_as_old_as_its_planning() -> None:
    assert adopted(order(created_at=90), report(order(), created_at=0.0)).created_at == 90


def test_an_order_that_a_person_accepts_keeps_its_amount_where_the_exchange_tells_none() -> None:
    taken = taken_as_it_is(order(), report(order(), side="sell", amount=Decimal(0)))

    assert (taken.side, taken.amount) == ("sell", Decimal("0.01"))


def test_exits_of_an_order_that_a_person_accepts_close_the_same_shares_of_it() -> None:
    profit = order("tp", side="sell", amount="0.005", price="50000")

    taken = taken_as_it_is(order(chained=[profit]), report(order(), amount=Decimal("0.02")))

    assert [one.amount for one in taken.chained] == [Decimal("0.01")]


def test_an_order_that_was_rejected_after_a_part_of_it_filled_was_placed() -> None:
    known = report(order(), status="rejected", filled=Decimal("0.004"))

    outcome = outcome_of(order(), known)

    assert isinstance(outcome, Placed)
    assert outcome.order.filled == Decimal("0.004")


def test_a_filled_market_order_has_the_mean_price_of_its_fills() -> None:
    known = report(market_order(), status="closed", filled=Decimal("0.01"), average=Decimal("50000.5"))

    assert adopted(market_order(), known).price == Decimal("50000.5")


def test_fees_in_one_asset_are_added_up() -> None:
    in_base = Fee(cost=Decimal("0.1"), currency=Asset("BTC"))
    in_coin = Fee(cost=Decimal(5), currency=Asset("BNB"))

    assert total_fee([in_base, in_coin, in_base]) == Fee(cost=Decimal("0.2"), currency=Asset("BTC"))
    assert total_fee([]) is None
