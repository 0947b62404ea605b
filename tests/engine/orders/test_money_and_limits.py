"""Ticks, minima, maxima, splitting and dust."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ActionStatus, OperatorError
from engine.market.market import Bounds, Market, generic_market
from engine.money import ceil_to_tick, floor_to_tick, to_decimal
from engine.orders.limits import check_and_adapt, sweep_dust
from engine.types import Asset, Symbol

EIGHT_DIGITS = Decimal("0.00000001")


def bounds(text: str) -> Bounds:
    """`0.5..100`; an empty side is unbounded."""
    low, _, high = text.partition("..")
    return Bounds(Decimal(low) if low else None, Decimal(high) if high else None)


def market(amount: str = "..", cost: str = "..", price: str = "..", *, tick: str = "1e-8") -> Market:
    return Market(
        symbol=Symbol("BTC/USDT"),
        base=Asset("BTC"),
        quote=Asset("USDT"),
        amount_tick=Decimal(tick),
        amount=bounds(amount),
        cost=bounds(cost),
        price=bounds(price),
    )


def parts(amount: str, price: str, rules: Market) -> list[tuple[str, str]]:
    """What becomes of an order, as texts."""
    adapted = check_and_adapt(Decimal(amount), Decimal(price), rules)
    return [(format(part.normalize(), "f"), format(at.normalize(), "f")) for part, at in adapted]


@pytest.mark.parametrize(
    ("value", "tick", "floored"),
    [
        ("0.123456789", "0.00000001", "0.12345678"),
        ("10.74", "0.5", "10.5"),
        ("13", "5", "10"),
        ("0.3", "0.1", "0.3"),
        ("0.005", "1", "0"),
        ("1251.000001451", "0.00000001", "1251.00000145"),
    ],
)
def test_values_are_floored_to_ticks_of_any_size(value: str, tick: str, floored: str) -> None:
    assert floor_to_tick(Decimal(value), Decimal(tick)) == Decimal(floored)


def test_the_next_tick_above_is_found_too() -> None:
    assert ceil_to_tick(Decimal("1251.000001451"), EIGHT_DIGITS) == Decimal("1251.00000146")


def test_a_float_becomes_the_decimal_of_its_shortest_text() -> None:
    assert to_decimal(0.1) == Decimal("0.1")
    assert to_decimal(1e-9) == Decimal("0.000000001")


@given(
    value=st.decimals(min_value=0, max_value=10**12, places=10),
    tick=st.sampled_from([Decimal(text) for text in ("0.00000001", "0.5", "5", "0.03", "1000")]),
)
def test_a_floored_value_is_a_multiple_of_the_tick_and_less_than_one_tick_below(
    value: Decimal, tick: Decimal
) -> None:
    floored = floor_to_tick(value, tick)
    assert floored % tick == 0
    assert 0 <= value - floored < tick


USUAL = market("0.5..100", "1..200", "0.5..50")
TINY = market("0.0000005..100", "0.00000001..10", "0.000005..50")


@pytest.mark.parametrize(
    ("amount", "price", "rules", "expected"),
    [
        pytest.param("0.5", "2", USUAL, [("0.5", "2")], id="at the minimum"),
        pytest.param("100", "2", USUAL, [("100", "2")], id="at the maximum"),
        pytest.param("1", "100", USUAL, [("1", "100")], id="bounds of the cost replace those of the price"),
        pytest.param("1", "100", market("0.5..100", "..", "0.5..50"), [], id="above the highest price"),
        pytest.param("0.4", "5", USUAL, [], id="below the smallest amount"),
        pytest.param("3", "0.01", market("0.5..100", "1..200"), [], id="below the smallest cost"),
        pytest.param("10", "0", TINY, [], id="without a price"),
        pytest.param(
            "10",
            "49",
            USUAL,
            [("1.83673469", "49"), ("4.08163265", "49"), ("4.08163265", "49")],
            id="split by cost, the remainder first",
        ),
        pytest.param(
            "250", "1.5", market("0.5..100", "1..200"), [("50", "1.5"), ("100", "1.5"), ("100", "1.5")],
            id="split by amount",
        ),
        pytest.param("5000", "0.001", TINY, [("100", "0.001")] * 50, id="fifty parts"),
        pytest.param(
            "502.55", "0.01", market("..100", "..30", tick="0.1"), [("2.5", "0.01"), *[("100", "0.01")] * 5],
            id="the remainder is floored",
        ),
        pytest.param("100.2", "1", USUAL, [("100", "1")], id="a remainder below the minimum is left out"),
        pytest.param("10000000", "49", market("0.0000005.."), [("10000000", "49")], id="unbounded"),
    ],
)  # fmt: skip
def test_an_order_is_cut_to_what_the_market_takes(
    amount: str, price: str, rules: Market, expected: list[tuple[str, str]]
) -> None:
    assert parts(amount, price, rules) == expected


def test_more_than_fifty_parts_are_refused_with_what_would_be_taken() -> None:
    with pytest.raises(OperatorError, match="order at most 5000 BTC at once") as refused:
        check_and_adapt(Decimal(5001), Decimal("0.001"), TINY)
    assert refused.value.status is ActionStatus.INVALID_ORDER


@pytest.mark.parametrize(
    ("amount", "rules", "price", "holding", "sold"),
    [
        ("3", market("0.5..", "1.."), "1", "5", "3"),
        ("4.5", market("0.5..", "1.."), "1", "5", "5"),
        ("5", market("0.5..", "1.."), "1", "5", "5"),
        ("0.9", market("0.005..", "0.00005.."), "0.5", "0.99000000001", "0.9"),
    ],
)
def test_a_sell_takes_dust_with_it(amount: str, rules: Market, price: str, holding: str, sold: str) -> None:
    assert sweep_dust(Decimal(amount), Decimal(price), Decimal(holding), rules) == Decimal(sold)


def test_a_symbol_without_recorded_rules_trades_without_limits() -> None:
    rules = generic_market(Symbol("ETH/USDT:USDT"))
    assert (rules.base, rules.quote) == ("ETH", "USDT")
    assert parts("0.00000001", "0.00000001", rules) == [("0.00000001", "0.00000001")]
