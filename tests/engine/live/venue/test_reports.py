"""What ccxt tells of an account, in the engine's own types."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.live.venue.reports import order_report, portfolio, positions, trade
from engine.state import Fee, Order
from engine.types import Asset

SPOT = {"symbol": "BTC/USDT", "contract": False}
PERPETUAL = {"symbol": "BTC/USDT:USDT", "contract": True, "contractSize": 0.01}


def raw(**fields: Any) -> dict[str, Any]:
    return {"id": 7, "symbol": "BTC/USDT", "side": "buy", "amount": "0.3", "status": "open", **fields}


def test_numbers_stay_exact() -> None:
    report = order_report(
        raw(price="50000.01", filled="0.1", average="49999.999999999999", timestamp=1_700_000_000_500), SPOT
    )
    assert report.id == "7"
    assert (report.price, report.average) == (Decimal("50000.01"), Decimal("49999.999999999999"))
    assert report.created_at == 1_700_000_000.5


def test_an_answer_with_an_id_only_is_the_order_that_was_sent() -> None:
    sent = Order.model_validate(
        {
            "id": "x",
            "symbol": "BTC/USDT",
            "side": "sell",
            "type": "stop_loss",
            "amount": "2",
            "stop_price": "9",
        }
    )
    report = order_report({"id": "7", "amount": None}, SPOT, client_order_id="c", created=sent)
    assert (report.client_order_id, report.side, report.kind) == ("c", "sell", "stop_loss")
    assert (report.amount, report.filled, report.stop_price, report.status) == (
        Decimal(2),
        Decimal(0),
        Decimal(9),
        "open",
    )


def test_an_order_without_an_amount_does_not_hide_the_others_of_its_list() -> None:
    report = order_report(raw(amount=None, type="market", status="canceled"), SPOT)
    assert (report.id, report.amount, report.status) == ("7", Decimal(0), "canceled")


@pytest.mark.parametrize("answer", [{}, {"id": "7"}, {"id": None, "side": "buy", "amount": "1"}])
def test_an_answer_that_names_no_order_is_none(answer: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="names no order"):
        order_report(answer, SPOT)


def test_contracts_become_amounts_of_base() -> None:
    report = order_report(raw(symbol="BTC/USDT:USDT", amount="50", filled="20"), PERPETUAL)
    assert (report.amount, report.filled) == (Decimal("0.5"), Decimal("0.2"))
    fill = trade({"id": "t", "side": "sell", "amount": "50", "price": "100", "timestamp": 1_000}, PERPETUAL)
    assert (fill.amount, fill.cost) == (Decimal("0.5"), Decimal(50))
    [held] = positions(
        [
            {"symbol": "BTC/USDT:USDT", "side": "short", "contracts": "50", "entryPrice": "100"},
            {"symbol": "BTC/USDT:USDT", "side": "long", "contracts": "0"},
        ],
        {"BTC/USDT:USDT": PERPETUAL},
    )
    assert (held.side, held.amount, held.entry_price) == ("short", Decimal("0.5"), Decimal(100))


def test_all_fees_are_kept() -> None:
    fees = [{"cost": "0.1", "currency": "BNB"}, {"cost": None}, {"cost": "0.2", "currency": "USDT"}]
    assert order_report(raw(fees=fees), SPOT).fees == (
        Fee(cost=Decimal("0.1"), currency=Asset("BNB")),
        Fee(cost=Decimal("0.2"), currency=Asset("USDT")),
    )


def test_empty_balances_are_left_out() -> None:
    held = portfolio({"total": {"BTC": "1.5", "ETH": "0.0"}, "free": {"BTC": "1", "ETH": "0.0"}})
    assert list(held.content) == ["BTC"]
    assert held.content[Asset("BTC")].available == 1
