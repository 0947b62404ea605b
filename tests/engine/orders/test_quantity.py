"""The text form of amounts and prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DslError
from engine.orders.quantity import Marker, parse_amount, parse_price, parse_quantity


@pytest.mark.parametrize(
    ("text", "marker", "value"),
    [
        (10, Marker.NONE, "10"),
        (1e-09, Marker.NONE, "0.000000001"),
        (1.366666663347877, Marker.NONE, "1.366666663347877"),
        ("-10", Marker.NONE, "-10"),
        ("+0.01", Marker.NONE, "0.01"),
        ("01", Marker.NONE, "1"),
        ("1e-3", Marker.NONE, "0.001"),
        ("b10", Marker.BASE, "10"),
        ("100000000000000000000b", Marker.BASE, "100000000000000000000"),
        ("q-0.11", Marker.QUOTE, "-0.11"),
        ("-10d", Marker.OFFSET, "-10"),
        ("%5", Marker.PERCENT, "5"),
        ("99.5%", Marker.PERCENT, "99.5"),
        ("a%5", Marker.AVAILABLE_PERCENT, "5"),
        ("a5%", Marker.AVAILABLE_PERCENT, "5"),
        ("10%a", Marker.AVAILABLE_PERCENT, "10"),
        ("5%s", Marker.PAIR_PERCENT, "5"),
        ("5t%", Marker.TRADED_PERCENT, "5"),
        ("p-0.11", Marker.POSITION, "-0.11"),
        ("%p-0.11", Marker.POSITION_PERCENT, "-0.11"),
        ("@5", Marker.ABSOLUTE, "5"),
        ("1e9e", Marker.ENTRY, "1000000000"),
        ("e1e+9", Marker.ENTRY, "1000000000"),
        ("-1e-09e%", Marker.ENTRY_PERCENT, "-0.000000001"),
        ("1e09%e", Marker.ENTRY_PERCENT, "1000000000"),
    ],
)
def test_a_number_may_have_a_marker_before_after_or_around_it(text: Any, marker: Marker, value: str) -> None:
    quantity = parse_quantity(text)
    assert (quantity.marker, quantity.value) == (marker, Decimal(value))


@pytest.mark.parametrize("marker", list(Marker))
def test_a_marker_alone_has_no_value(marker: Marker) -> None:
    assert parse_quantity(marker.value).marker is marker
    assert parse_quantity(marker.value).value is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,5", r"unexpected ',' at character 2"),
        ("10 %", r"unexpected ' ' at character 3"),
        ("1_000", r"unexpected '_' at character 2"),
        ("1Q", r"unexpected 'Q' at character 2"),
        ("wyz-0.11", r"unexpected 'w' at character 1"),
        ("nan", r"unexpected 'n' at character 1"),
        ("1%%", r"'%%' is not a marker"),
        ("1%q", r"'%q' is not a marker"),
        ("5aa", r"'aa' is not a marker"),
        ("1" * 70, "the number is too long"),
        ("1e999999999", "the number is too long"),
        ([1], "a number or a text is needed"),
        (True, "a number or a text is needed"),
        (float("inf"), "not a finite number"),
    ],
)
def test_anything_else_is_refused_at_the_place_that_does_not_fit(text: Any, message: str) -> None:
    with pytest.raises(DslError, match=message) as refused:
        parse_quantity(text)
    assert refused.value.code == "invalid_parameter_format"


@pytest.mark.parametrize("amount", [0, "0", -1, "-0", "-1q", "", "q", None, "5e", "5e%", "@1", "d0.01", "1a"])
def test_an_amount_is_above_zero_and_counts_something_one_can_have(amount: Any) -> None:
    with pytest.raises(DslError, match="invalid amount") as refused:
        parse_amount(amount)
    assert refused.value.code == "invalid_parameter_format"


@pytest.mark.parametrize("price", ["", "@", "%", None, "5a", "5a%", "5p", "5p%", "5s%", "5t%", "45000b"])
def test_a_price_has_a_number_and_is_not_a_share_of_holdings(price: Any) -> None:
    with pytest.raises(DslError, match="invalid price") as refused:
        parse_price(price)
    assert refused.value.code == "invalid_parameter_format"


@given(st.text(max_size=200) | st.integers() | st.floats() | st.none() | st.lists(st.integers(), max_size=2))
def test_whatever_is_given_is_read_or_refused(given_value: Any) -> None:
    try:
        quantity = parse_quantity(given_value)
    except DslError as refused:
        assert refused.code == "invalid_parameter_format"  # noqa: PT017  (either outcome is right)
    else:
        assert quantity.value is None or quantity.value.is_finite()


PLAIN_NUMBER = st.from_regex(r"[+-]?([0-9]{1,9}(\.[0-9]{0,9})?|\.[0-9]{1,9})", fullmatch=True)


@given(text=PLAIN_NUMBER, marker=st.sampled_from(["", "q", "%", "a%", "@"]), before=st.booleans())
def test_every_plain_spelling_of_a_number_is_a_quantity(text: str, marker: str, before: bool) -> None:
    quantity = parse_quantity(f"{marker}{text}" if before else f"{text}{marker}")
    assert quantity.value == Decimal(text)


@pytest.mark.parametrize("text", [".", "+", "-.", "1..2", "1_000", ".5.", "1.2.3", "٣", "1e", "5 "])
def test_what_is_no_number_is_no_amount(text: str) -> None:
    with pytest.raises(DslError):
        parse_amount(text)


@pytest.mark.parametrize(("text", "value"), [(".5", "0.5"), ("1.", "1"), ("1.q", "1"), ("a%.5", "0.5")])
def test_a_point_needs_digits_on_one_side_only(text: str, value: str) -> None:
    assert parse_amount(text).value == Decimal(value)
