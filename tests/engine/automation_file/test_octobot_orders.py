"""Orders and positions of OctoBot: what they are here, and that a live account finds them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.support.live_run import LiveRun
from tests.support.memory_exchange import MemoryExchange
from tests.support.octobot import imported, open_orders, said


def test_an_order_and_its_exits_are_kept() -> None:
    (order,) = open_orders(imported("waiting"))
    assert (order.type, order.side, order.amount, order.price) == (
        "limit", "buy", Decimal("0.00526"), Decimal(38_000),
    )  # fmt: skip
    assert (order.created_at, order.tag, order.origin) == (1_704_891_001.2, "dip", None)
    stop, profit = order.chained
    assert (stop.type, stop.stop_price, stop.price) == ("stop_loss", Decimal(36_000), None)
    assert (profit.type, profit.price) == ("limit", Decimal(50_000))
    assert stop.group == profit.group == "OneCancelsTheOtherOrderGroup:g-1"


def test_live_orders_are_known_by_the_exchange_s_id_and_have_a_call() -> None:
    found = imported("live")
    entry, stop = open_orders(found)
    assert (entry.id, entry.client_order_id, entry.filled) == ("9001", "local-9001", Decimal("0.001"))
    assert entry.origin is not None
    assert entry.origin.action_id == "entry"
    assert entry.cancel_policy == {
        "type": "ExpirationTimeOrderCancelPolicy",
        "expiration_time": 1_705_000_000.0,
    }
    assert stop.stop_ladder == [Decimal(42_000), Decimal(43_000)]
    elements = found.state.automation.exchange_account_elements
    assert elements is not None
    (inactive,) = elements.orders.inactive_orders
    assert (inactive.group, len(inactive.id)) == (stop.group, 32)
    assert [trade.id for trade in elements.trades] == ["77"]
    assert [transaction.timestamp for transaction in elements.transactions] == [1_704_700_000.0]


def test_orders_that_were_missing_are_told_and_their_exits_are_to_be_looked_for() -> None:
    def moved(raw: dict[str, Any]) -> None:
        orders = raw["automation"]["exchange_account_elements"]["orders"]
        orders["open_orders"][0]["co"] = [orders["open_orders"][2]]
        orders["missing_orders"] = [orders["open_orders"].pop(0)]

    found = imported("live", moved)
    elements = found.state.automation.exchange_account_elements
    assert elements is not None
    assert [order.id for order in elements.orders.missing_orders] == ["9001"]
    assert "missing_orders.0.co: whether its exits were placed is not known" in said(found)


async def test_catch_up_finds_imported_live_orders() -> None:
    elements = imported("live").state.automation.exchange_account_elements
    assert elements is not None
    run = LiveRun(MemoryExchange())
    placed = [
        run.exchange.accept(order.model_copy(update={"client_order_id": f"theirs-{order.id}"}))
        for order in elements.orders.open_orders
    ]
    orders = elements.orders
    orders.open_orders = [
        order.model_copy(update={"id": report.id, "filled": Decimal(0), "created_at": report.created_at})
        for order, report in zip(orders.open_orders, placed, strict=True)
    ]
    orders.inactive_orders = []
    orders.open_orders[0].cancel_policy = None
    run.state.automation.exchange_account_elements = elements
    run.exchange.fill(placed[0].id)
    await run.invoke()
    assert [order.id for order in run.orders] == [placed[1].id]
    assert placed[0].id in {trade.order_id for trade in run.trades}


Change = Callable[[dict[str, Any], dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "message", "kept"),
    [
        (lambda order, one: one.update(type="trailing_stop_limit"), "is no type of an order here", 0),
        (lambda order, one: one.update(type="limit_maker"), "", 1),
        (lambda order, one: one.update(type="stop_limit", triggerAbove=True), "its limit is taken for it", 1),
        (lambda order, one: one.update(type="stop_loss", triggerAbove=False), "kept as take_profit", 1),
        (lambda order, one: one.update(type="market"), "does not rest on paper", 0),
        (lambda order, one: one.update(side="both"), "is no side of an order here", 0),
        (lambda order, one: one.update(status="filled"), "an order that is closed: not kept", 0),
        (lambda order, one: one.update(amount="much"), "a text instead of a number", 0),
        (lambda order, one: one.update(price=-1), "above 0: not kept", 0),
        (lambda order, one: one.update(symbol="BTCUSDT"), "no pair such as BTC/USDT", 0),
        (lambda order, one: one.update(id=None, exchange_id=None), "an order without an id", 0),
        (lambda order, one: order.update(gr={"gt": "Odd", "gi": "1"}), "is no group here", 1),
        (lambda order, one: order.update(cp={"cp": "OddPolicy", "cpk": {}}), "cancel the order yourself", 1),
        (lambda order, one: order.update(tp={"tpt": "odd"}), "", 1),
        (lambda order, one: order.update(ecp={"x": 1}), "parameters for one exchange", 1),
    ],
)
def test_what_an_order_cannot_be_here_is_said(change: Change, message: str, kept: int) -> None:
    def changed(raw: dict[str, Any]) -> None:
        (stored,) = raw["automation"]["exchange_account_elements"]["orders"]["open_orders"]
        change(stored, stored["origin_value"])

    found = imported("waiting", changed)
    assert message in said(found)
    assert len(open_orders(found)) == kept


def test_exits_that_came_with_their_entry_are_left_to_a_live_exchange() -> None:
    def bundled(raw: dict[str, Any]) -> None:
        orders = raw["automation"]["exchange_account_elements"]["orders"]["open_orders"]
        exit_ = {**orders[1], "hbb": True}
        orders[0]["co"] = [exit_, orders[2]]

    entry = open_orders(imported("live", bundled))[0]
    assert [order.type for order in entry.chained] == ["limit"]
    assert entry.chained[0].origin is not None
    assert entry.chained[0].origin.leg == "0/tp1"


def test_positions_and_what_trails_are_kept() -> None:
    found = imported("futures")
    elements = found.state.automation.exchange_account_elements
    assert elements is not None
    (position,) = elements.positions
    assert (position.side, position.amount, position.leverage, position.margin) == (
        "long", Decimal("0.02"), Decimal(10), Decimal(86),
    )  # fmt: skip
    (order,) = open_orders(found)
    assert (order.type, order.trailing_percent, order.reduce_only) == ("trailing_stop", Decimal(5), True)
    assert order.stop_price == Decimal(42_000) * Decimal("0.95")
    assert "5 % of its first price are taken" in said(found)
    assert "inverse contract: not kept" in said(found)
