"""The operators for texts and conversions."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from engine.errors import DslError
from tests.support.scripts import evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("int('12')", 12),
        ("int(' -7 ')", -7),
        ("int(2.9)", 2),
        ("int(decimal('-2.9'))", -2),
        ("float('1.5')", 1.5),
        ("float(decimal('0.1'))", 0.1),
        ("decimal('0.10')", Decimal("0.10")),
        ("decimal(0.1)", Decimal("0.1")),
        ("decimal(True)", Decimal(1)),
        ("str(1.5)", "1.5"),
        ("str(decimal('1E+3'))", "1000"),
        ("str(None)", "None"),
        ("str([decimal('0.10'), nan])", '["0.1", null]'),
        ("lower('AbC') + upper('d')", "abcD"),
        ("contains('BTC/USDT', '/')", True),
        ("starts_with('BTC/USDT', 'USDT')", False),
        ("split('BTC/USDT', '/')", ["BTC", "USDT"]),
        ("split(' a  b ')", ["a", "b"]),
        ("join(['a', 1, decimal('2.50')], '-')", "a-1-2.5"),
    ],
)
def test_texts_and_numbers_are_converted(text: str, value: object) -> None:
    result = evaluate(text)
    assert result == value
    assert type(result) is type(value)


def test_a_series_becomes_a_text() -> None:
    assert evaluate("str($s)", references={"s": np.array([1.0, 2.5])}) == "[1.0, 2.5]"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("int('1.5')", "evaluation", "'1.5' is not an integer"),
        ("float('x')", "evaluation", "'x' is not a number"),
        ("decimal('1,5')", "evaluation", "'1,5' is not a number"),
        ("int('9' * 5000)", "evaluation", "a text of 5,000 characters"),
        ("int('9' * 100)", "limit_exceeded", "integers stay below"),
        ("int(1e100)", "limit_exceeded", "integers stay below"),
        ("decimal('1e9999')", "limit_exceeded", "exponent"),
        ("join([0] * 600000, 'ab')", "limit_exceeded", "a text has at most"),
        ("upper(1)", "invalid_parameters", "must be a text"),
        ("split('a', '')", "evaluation", "empty separator"),
    ],
)
def test_what_cannot_be_converted_is_an_error(text: str, code: str, message: str) -> None:
    with pytest.raises(DslError, match=message) as caught:
        evaluate(text)
    assert caught.value.code == code
