"""The time operators."""

from __future__ import annotations

import pytest

from engine.errors import DslError
from tests.support.scripts import evaluate

TUESDAY_22_13 = 1_700_000_000.123


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("now", TUESDAY_22_13),
        ("now_ms()", 1_700_000_000_123),
        ("hour()", 22),
        ("weekday()", 1),
        ("date('2024-03-01')", 1_709_251_200.0),
        ("date('2024-03-01T01:00:00+01:00')", 1_709_251_200.0),
        ("seconds('1h30m')", 5_400.0),
        ("seconds('2d 1.5s')", 172_801.5),
    ],
)
def test_time_is_that_of_the_invocation(text: str, value: object) -> None:
    assert evaluate(text, now=TUESDAY_22_13) == value


def test_a_value_oscillates_with_the_time() -> None:
    assert evaluate("oscillate(100, 10, 60)", now=0.0) == 100.0
    assert evaluate("oscillate(100, 10, 60)", now=900.0) == pytest.approx(110.0)
    assert evaluate("oscillate(100, 10, 60)", now=2_700.0) == pytest.approx(90.0)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("date('tomorrow')", "evaluation"),
        ("seconds('soon')", "evaluation"),
        ("seconds('5')", "evaluation"),
        ("oscillate(100, 10, 0)", "invalid_parameters"),
        ("now(1)", "invalid_parameters"),
    ],
)
def test_what_is_no_time_is_an_error(text: str, code: str) -> None:
    with pytest.raises(DslError) as caught:
        evaluate(text)
    assert caught.value.code == code
