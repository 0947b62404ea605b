"""Numbers mean the same whatever type carries them, and computing with them raises nothing but `DslError`."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dsl import DEFAULT_LIMITS
from engine.dsl.running.arithmetic import ARITHMETIC, COMPARISONS, signed, truth
from engine.errors import DslError
from tests.support.scripts import Recorder, evaluate, run

EXTREMES = [
    0, 1, -1, 3, -7, 2**255, -(2**255), 2**256 - 1, True,
    0.0, -0.0, 0.1, -7.5, 1e308, -1e308, 5e-324, math.nan, math.inf, -math.inf,
    *map(Decimal, ("0", "-0", "0.1", "-7", "1e400", "-1e400", "1e-400", "9" * 60, "1." + "3" * 40)),
    *map(Decimal, ("NaN", "Infinity", "-Infinity")),
]  # fmt: skip
OPERATORS = {**ARITHMETIC, **COMPARISONS}
WORDS = ["'a'", "None", "[1, nan]", "{'a': 1}"]


@pytest.mark.parametrize("sign", sorted(OPERATORS))
def test_only_language_errors_come_out_of_an_operator(sign: str) -> None:
    for left, right in itertools.product(EXTREMES, EXTREMES):
        try:
            OPERATORS[sign](left, right, DEFAULT_LIMITS)
        except DslError as error:
            assert "<class" not in error.message, (left, right)  # noqa: PT017 - most values are fine
    for value in EXTREMES:
        signed(("-",), value)


@pytest.mark.parametrize(
    "call",
    [
        "abs({})", "round({})", "round({}, 2)", "round({}, 60)", "round(1.5, {})", "floor({})", "ceil({})",
        "sqrt({})", "sin({})", "cos({})", "log({})", "log(2, {})", "exp({})", "pow({}, 2)", "pow(2, {})",
        "pow({}, -1)", "clamp({}, 0, 1)", "clamp(1, {}, 2)", "min({}, 1)", "max({}, 1)", "sum({}, 1)",
        "mean({}, 1)", "int({})", "float({})", "decimal({})", "str({})", "range({})", "[1, 2][{}]",
        "[1, 2][{}:]",
        "ma([1, 2, 3], {})", "bollinger([1, 2, 3], 2, {})", "rsi([1, 2, {}], 2)", "wait({})", "wait(0, {})",
        "sorted([{}, 1])", "{{{}: 1}}[1]", "get({{1: 1}}, {}, 2)", "not {}", "1 if {} else 2", "{} and 1",
        "loop_until({}, 60)", "loop_until(False, {})", "value_if({}, ' > 1')", "value_if(1, {})", "any([{}])",
        "oscillate({}, 1, 1)", "oscillate(1, 1, {})", "restart('a', {})", "error({})",
    ],
)  # fmt: skip
def test_only_language_errors_come_out_of_a_call(call: str) -> None:
    for value in EXTREMES:
        for text in (call.format(spelled(value)), call.format("$x")):
            try:
                run(text, references={"x": value})
            except DslError as error:
                assert "<class" not in error.message, text  # noqa: PT017 - most values are fine


def spelled(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"decimal('{value}')"
    return f"float('{value}')" if isinstance(value, float) and not math.isfinite(value) else f"({value!r})"


@pytest.mark.parametrize("zero", ["0", "0.0", "decimal('0')", "$x"])
@pytest.mark.parametrize("text", ["1 / {}", "1 // {}", "1 % {}", "{} ** -1", "{} ** -0.5", "pow({}, -1)"])
def test_division_by_zero_is_an_error_for_every_type(text: str, zero: str) -> None:
    with pytest.raises(DslError, match="division by zero"):
        evaluate(text.format(zero), references={"x": Decimal("0.00")})


# One number in three types.

PLAIN = st.integers(-(10**6), 10**6).flatmap(
    lambda whole: st.sampled_from([0, 1, 2, 3]).map(lambda digits: Decimal(whole).scaleb(-digits))
)


def forms(value: Decimal) -> list[Any]:
    """The int, float and Decimal that denote a number of few digits."""
    whole = [int(value)] if value == value.to_integral_value() else []
    return [*whole, float(str(value)), value, value.normalize()]


def outcome(sign: str, left: Any, right: Any) -> Any:
    try:
        return OPERATORS[sign](left, right, DEFAULT_LIMITS)
    except DslError as error:
        return error.code


def agree(one: Any, other: Any) -> bool:
    if isinstance(one, str | bool) or isinstance(other, str | bool):
        return bool(one == other)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


@settings(deadline=None)
@given(left=PLAIN, right=PLAIN)
@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!="])
def test_an_operator_means_the_same_for_every_type(sign: str, left: Decimal, right: Decimal) -> None:
    outcomes = [outcome(sign, a, b) for a in forms(left) for b in forms(right)]
    assert all(agree(one, outcomes[0]) for one in outcomes), outcomes


@settings(deadline=None)
@given(left=st.integers(-1000, 1000), right=st.integers(-12, 12))
@pytest.mark.parametrize("sign", ["//", "%", "**"])
def test_whole_numbers_divide_and_rise_alike_in_every_type(sign: str, left: int, right: int) -> None:
    wanted = outcome(sign, left, right)
    for a, b in itertools.product(forms(Decimal(left)), forms(Decimal(right))):
        assert agree(outcome(sign, a, b), wanted), (a, b)


@settings(deadline=None)
@given(left=PLAIN, right=PLAIN.filter(bool))
def test_remainders_of_decimals_have_the_sign_of_the_divisor(left: Decimal, right: Decimal) -> None:
    quotient, remainder = outcome("//", left, right), outcome("%", left, right)
    assert quotient * right + remainder == left
    assert remainder == 0 or (remainder < 0) == (right < 0)
    assert abs(remainder) < abs(right)


@settings(deadline=None)
@given(left=PLAIN, right=PLAIN)
def test_numbers_are_the_same_in_lists_and_dicts_as_alone(left: Decimal, right: Decimal) -> None:
    for a, b in itertools.product(forms(left), [*forms(left), *forms(right)]):
        given_ = {"a": a, "b": b}
        alone = evaluate("$a == $b", references=given_)
        for text in (
            "$a in [$b]",
            "[$a] == [$b]",
            "[[$a], 'x'] == [[$b], 'x']",
            "{'k': $a} == {'k': $b}",
            "{$a: 1} == {$b: 1}",
            "$a in {$b: 1}",
            "get({$a: True}, $b, False)",
            "if_error({$a: True}[$b], False)",
            "len({$a: 1, $b: 2}) == 1",
            "len({$a: 1, **{$b: 2}}) == 1",
            "[$a] <= [$b] and [$a] >= [$b]",
            "not ($a not in [$b])",
            "not ([$a] != [$b])",
        ):
            assert evaluate(text, references=given_) is alone, (text, given_)


def test_not_a_number_equals_nothing_wherever_it_stands() -> None:
    for text in ("$x == $x", "[$x] == [$x]", "$x in [$x]", "{'k': $x} == {'k': $x}", "{$x: 1} == {$x: 1}"):
        for value in (math.nan, Decimal("NaN")):
            assert evaluate(text, references={"x": value}) is False, text


# NaN as a condition, and among others.

CONDITIONS = [
    "1 if {} else 2", "not {}", "not not {}", "{} and True", "True and {}", "False or {}", "{} or False",
    "{} and pause(1)", "pause(1) if {} else 2", "value_if(1, {})", "value_if({}, LOCAL_VALUE_PLACEHOLDER)",
    "loop_until({}, 60)", "any([{}])", "all([{}])", "any([0, {}])", "({} or 0) > 1",
]  # fmt: skip


@pytest.mark.parametrize("text", CONDITIONS)
@pytest.mark.parametrize("value", ["nan", "$x", "($x + 1)", "[$x][0]", "decimal('nan')", "float('nan')"])
def test_a_condition_that_is_not_a_number_is_an_error_with_its_place(text: str, value: str) -> None:
    with pytest.raises(DslError, match="neither true nor false") as refused:
        run(text.format(value), registry=Recorder().registry, references={"x": math.nan})
    assert refused.value.position is not None


def test_what_is_not_decided_by_it_is_no_error() -> None:
    assert evaluate("1 if True else nan and 1") == 1
    assert evaluate("(True or nan) and not (False and nan)") is True
    assert evaluate("nan < 1 or nan > 1 or nan == nan") is False
    assert truth(math.inf) is True


@settings(deadline=None)
@given(
    numbers=st.lists(
        st.one_of(
            PLAIN, PLAIN.map(float), st.sampled_from([math.nan, Decimal("NaN"), math.inf, -math.inf, 3])
        ),
        min_size=1,
        max_size=5,
    ),
    data=st.data(),
)
def test_what_is_made_of_many_numbers_does_not_depend_on_their_order(
    numbers: list[Any], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(numbers))
    for name in ("min", "max", "sum", "mean", "sorted"):
        one, other = (evaluate(f"{name}($x)", references={"x": each}) for each in (numbers, shuffled))
        if name == "sorted":
            assert list(map(float, one)) == pytest.approx(list(map(float, other)), nan_ok=True)
            known = [number for number in one if number == number]
            assert known == one[: len(known)]
            assert all(a <= b or math.isclose(a, b) for a, b in itertools.pairwise(map(float, known)))
            continue
        if any(number != number for number in numbers):
            assert math.isnan(one)
        assert float(one) == pytest.approx(float(other), nan_ok=True)


def test_nulls_stand_behind_everything_in_either_direction() -> None:
    assert evaluate("sorted([nan, 2, 1])[:2]") == [1, 2]
    assert evaluate("sorted([1, nan, 2], True)[:2]") == [2, 1]


def test_no_bound_that_is_not_a_number_is_passed_over() -> None:
    for text in ("clamp(nan, 0, 1)", "clamp(1, nan, 2)", "clamp(1, 0, nan)"):
        assert math.isnan(evaluate(text))


def test_decimals_of_many_digits_keep_them_under_a_sign() -> None:
    long = Decimal("1." + "1" * 40)
    assert evaluate("--$x", references={"x": long}) == long
    assert evaluate("abs(-$x)", references={"x": long}) == long
    assert evaluate("round($x, 35)", references={"x": long}) == Decimal("1." + "1" * 35)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("value_if([1], '[0] == 1')", [1]),
        ("value_if([2], '[0] == 1')", False),
        ("value_if({'a': 1}, \"['a'] == 1\")", {"a": 1}),
        ("value_if(3, '[1, 3] == [1, LOCAL_VALUE_PLACEHOLDER]')", 3),
    ],
)
def test_a_text_that_starts_with_an_index_is_applied(text: str, value: Any) -> None:
    assert evaluate(text) == value
