"""A formula gives what the general form of its expression gives, whatever its variables are."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.dsl import Kind, OperatorContext, OperatorRegistry, OperatorSet, Series, operator
from engine.errors import DslError, RetryableError
from engine.operators import default_registry
from tests.support.examples import examples
from tests.support.scripts import evaluate

_NUMBERS = st.one_of(
    st.integers(-5, 5),
    st.integers(-(2**70), 2**70),
    st.sampled_from([2**59, 2**60, -(2**60), 2**255, -(2**255)]),
    st.floats(),
)
_VALUES = st.one_of(
    _NUMBERS, st.booleans(), st.sampled_from([None, "text", [1], Decimal("1.5"), Decimal("NaN"), 2**300])
)


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    sign = st.sampled_from(["+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!="])
    word = st.sampled_from(["and", "or"])
    return st.one_of(
        st.tuples(inner, sign, inner).map(lambda p: f"({' '.join(p)})"),
        st.tuples(inner, sign, inner).map(lambda p: f"({' '.join(p)})"),
        st.tuples(inner, word, inner).map(lambda p: f"({' '.join(p)})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} < {p[1]} <= {p[2]})"),
        inner.map(lambda p: f"(- {p})"),
        inner.map(lambda p: f"(not {p})"),
        inner.map(lambda p: f"(not not {p})"),
    )


_LEAVES = st.one_of(
    st.sampled_from(["$a", "$b", "$c"]), st.sampled_from(["0", "2", "-3", "0.5", "1e300", "True"])
)
_EXPRESSIONS = st.recursive(_LEAVES, _nested, max_leaves=8)


def outcome(text: str, **given_values: Any) -> Any:
    try:
        value = evaluate(text, **given_values)
    except DslError as error:
        return error.code, error.message
    return type(value), "nan" if value != value else value


@given(_EXPRESSIONS, _VALUES, _NUMBERS, _NUMBERS)
@example("$a * $a * $a * $a * $a", 2**59, 0, 0)
@example("$a + 1 > 2", 2**256 - 1, 0, 0)
@examples(300)
def test_a_formula_is_as_careful_as_its_general_form(text: str, a: Any, b: Any, c: Any) -> None:
    values = {"a": a, "b": b, "c": c}
    # The value of get() may be anything, so nothing around it is a formula.
    general = text
    for name in values:
        general = general.replace(f"${name}", f"get($values, '{name}', 0)")
    expected = outcome(general, references={"values": values})
    assert outcome(text, references=values) == expected
    with_locals = "\n".join([*(f"{name} = ${name}" for name in values), text.replace("$", "")])
    assert outcome(with_locals, references=values) == expected


def test_a_variable_that_is_not_needed_may_be_missing() -> None:
    assert evaluate("$a > 1 and $missing > 1", references={"a": 0}) is False
    with pytest.raises(DslError, match=r"\$missing has no result"):
        evaluate("$a > 1 and $missing > 1", references={"a": 2})


class Market:
    """Operators that read prices, and count how often they do."""

    def __init__(self, prices: Any) -> None:
        self.readings: list[str] = []
        own = OperatorSet("own", "Operators of this test.")

        @operator(own, kind=Kind.READ, source="candles", example="prices()[-1]")
        def prices_(context: OperatorContext) -> Series:
            """Read prices."""
            self.readings.append(context.call_site)
            if isinstance(prices, Exception):
                raise prices
            given_prices: Series = prices
            return given_prices

        self.registry = OperatorRegistry([*default_registry().sets(), own])


def series(*values: float) -> Any:
    import numpy as np

    return np.array(values)


def test_a_series_that_is_read_several_times_is_read_once() -> None:
    market = Market(series(1.0, 2.0, 3.0))
    text = "prices()[-1] > ma(prices(), 3)[-1] and ma(prices(), 2)[-1] == 2.5"
    assert evaluate(text, registry=market.registry) is True
    assert len(market.readings) == 1


def test_a_series_that_is_not_needed_is_not_read() -> None:
    market = Market(series(1.0))
    assert evaluate("$a > 5 and prices()[-1] > 0", registry=market.registry, references={"a": 1}) is False
    assert market.readings == []


@pytest.mark.parametrize(
    ("prices", "text", "value"),
    [
        ([1, 2, 4], "prices()[-1] * 2", 8),
        (series(1.0, math.nan), "prices()[-1] > 0", False),
        (series(1.0, 2.0), "prices()[0] - prices()[-1]", -1.0),
        ((1, 2), "prices()[1] + 1", 3),
    ],
)
def test_what_is_no_array_is_left_to_the_general_form(prices: Any, text: str, value: Any) -> None:
    assert evaluate(text, registry=Market(prices).registry) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prices()[5] > 1", "index 5 is out of range: the series has 2 items"),
        ("ma(prices(), 5)[-1] > 1", "a period of 5 needs 5 values, and there are 2"),
        ("prices()[-1] / ($a - 1) > 1", "division by zero"),
    ],
)
def test_errors_are_those_of_the_general_form(text: str, message: str) -> None:
    with pytest.raises(DslError, match="line 1, column") as caught:
        evaluate(text, registry=Market(series(1.0, 2.0)).registry, references={"a": 1})
    assert message in caught.value.message


def test_an_error_that_asks_for_another_try_stays_what_it_is() -> None:
    with pytest.raises(RetryableError):
        evaluate("prices()[-1] > 1", registry=Market(RetryableError("the exchange is away")).registry)
