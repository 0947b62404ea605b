"""The math operators."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest

from engine.errors import DslError
from tests.support.scripts import evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("min(3, 1, 2)", 1),
        ("max([1, 3, 2])", 3),
        ("sum(1, 2.5)", 3.5),
        ("sum([decimal('0.1'), 0.2, 1])", Decimal("1.3")),
        ("mean(1, 2, 3)", 2.0),
        ("mean(True, 2)", 1.5),
        ("mean(decimal('1'), 2)", Decimal("1.5")),
        ("abs(-1.5)", 1.5),
        ("round(7)", 7),
        ("round(2.5)", 2),
        ("round(1.239, 2)", 1.24),
        ("round(1.23456789, 2.22)", 1.23),
        ("round(1234.5, -2)", 1200.0),
        ("round(decimal('1.005'), 2)", Decimal("1.00")),
        ("floor(-1.5)", -2),
        ("ceil(decimal('1.2'))", 2),
        ("sqrt(4)", 2.0),
        ("sqrt(decimal('2.25'))", Decimal("1.5")),
        ("sin(pi / 2)", 1.0),
        ("cos(3 * pi)", -1.0),
        ("log(exp(1))", 1.0),
        ("log(8, 2)", 3.0),
        ("pow(2, 10)", 1024),
        ("clamp(5, 1, 3)", 3),
        ("clamp(-5, 1, 3)", 1),
        ("nan == nan", False),
    ],
)
def test_a_number_comes_out(text: str, value: object) -> None:
    result = evaluate(text)
    assert result == value
    assert type(result) is type(value)


def test_a_series_counts_as_a_list_of_numbers() -> None:
    given = {"references": {"s": np.array([1.0, -4.0, 2.5])}}
    assert evaluate("[min($s), max($s), sum($s), abs($s)[1]]", **given) == [-4.0, 2.5, -0.5, 4.0]


def test_nan_is_passed_on() -> None:
    assert math.isnan(evaluate("nan + 1"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mean()", "invalid_parameters"),
        ("mean(1, 'a')", "invalid_parameters"),
        ("max([1], [2])", "invalid_parameters"),
        ("max([1, 2], 3)", "invalid_parameters"),
        ("clamp(1, 3, 2)", "invalid_parameters"),
        ("round(1, 1000)", "invalid_parameters"),
        ("max([])", "evaluation"),
        ("max([1, 'a'])", "evaluation"),
        ("max([1, None])", "evaluation"),
        ("sqrt(-1)", "evaluation"),
        ("log(0)", "evaluation"),
        ("exp(1000)", "evaluation"),
        ("round(nan)", "evaluation"),
        ("pow(0, -1)", "evaluation"),
        ("pow(10, 1000)", "limit_exceeded"),
        ("ceil(1e300)", "limit_exceeded"),
    ],
)
def test_what_has_no_result_is_an_error(text: str, code: str) -> None:
    with pytest.raises(DslError) as caught:
        evaluate(text)
    assert caught.value.code == code
