"""From amount and price texts to numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from engine.errors import ActionStatus, DslError, OperatorError
from engine.orders.quantity import parse_amount, parse_price
from engine.orders.sizing import cap, resolve_amount, resolve_price


@dataclass(frozen=True)
class Held:
    """Holdings that a test states, in base."""

    in_total: str = "2"
    free: str = "1.5"
    in_pair: str = "4"
    in_traded: str = "10"
    in_position: str = "100"

    def total(self) -> Decimal:
        return Decimal(self.in_total)

    def available(self) -> Decimal:
        return Decimal(self.free)

    def pair_value(self) -> Decimal:
        return Decimal(self.in_pair)

    def traded_value(self) -> Decimal:
        return Decimal(self.in_traded)

    def position(self) -> Decimal:
        return Decimal(self.in_position)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("2", "2"),
        ("2b", "2"),
        ("2q", "0.02"),
        ("75%", "1.5"),
        ("10a%", "0.15"),
        ("75s%", "3"),
        ("75t%", "7.5"),
        ("1p", "1"),
        ("1p%", "1"),
    ],
)
def test_an_amount_counts_what_its_marker_says(text: str, amount: str) -> None:
    assert resolve_amount(parse_amount(text), Decimal(100), Held()) == Decimal(amount)


def test_an_amount_in_quote_is_divided_by_the_orders_own_price() -> None:
    assert resolve_amount(parse_amount("2q"), Decimal("0.5"), Held()) == 4


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("10.333333", "10.333333"),
        ("@50", "50"),
        ("50q", "50"),
        ("-99%", "2"),
        ("1000%", "2200"),
        ("10d", "210"),
        ("-10d", "190"),
        ("50e", "550"),
        ("-10e%", "450"),
    ],
)
def test_a_price_is_absolute_or_an_offset(text: str, price: str) -> None:
    assert resolve_price(parse_price(text), Decimal(200), lambda: Decimal(500)) == Decimal(price)


def test_the_entry_price_is_asked_for_only_when_it_is_needed() -> None:
    def no_position() -> Decimal:
        raise DslError("no position", code="unsupported")

    assert resolve_price(parse_price("1%"), Decimal(100), no_position) == 101
    with pytest.raises(DslError, match="no position"):
        resolve_price(parse_price("1e%"), Decimal(100), no_position)


def test_more_than_affordable_is_refused_or_cut_down() -> None:
    assert cap(Decimal(1), Decimal(1), adapt=False) == 1
    assert cap(Decimal(2), Decimal(1), adapt=True) == 1
    with pytest.raises(OperatorError, match="2 asked for, 1 affordable") as refused:
        cap(Decimal(2), Decimal(1), adapt=False)
    assert refused.value.status is ActionStatus.NOT_ENOUGH_FUNDS
