"""The collection operators."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import DslError
from tests.support.scripts import evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("get({'a': 1}, 'a', 0)", 1),
        ("get({'a': 1}, 'b', 0)", 0),
        ("get({'a': 1}, [], 'd')", "d"),
        ("get([1], 0, 'no dict')", "no dict"),
        ("len('abc') + len([1]) + len({'a': 1})", 5),
        ("any([0, '', 1 < 2])", True),
        ("any([])", False),
        ("all([1, 'a'])", True),
        ("all([1, 0])", False),
        ("sorted([3, 1, 2])", [1, 2, 3]),
        ("sorted(['b', 'a'], reverse=True)", ["b", "a"]),
        ("first([1, 2]) + last([1, 2])", 3),
        ("range(3)", [0, 1, 2]),
        ("range(5, 0, -2)", [5, 3, 1]),
    ],
)
def test_collections_are_read(text: str, value: object) -> None:
    assert evaluate(text) == value


def test_a_series_can_be_asked_too() -> None:
    given = {"references": {"s": np.array([2.0, 1.0])}}
    assert evaluate("[len($s), first($s), last($s), sorted($s), any($s)]", **given) == [
        2,
        2.0,
        1.0,
        [1.0, 2.0],
        True,
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("get(1, 2)", "invalid_parameters"),
        ("len(5)", "invalid_parameters"),
        ("range(1, 2, 0)", "invalid_parameters"),
        ("range(1.5)", "invalid_parameters"),
        ("first([])", "evaluation"),
        ("sorted([1, 'a'])", "evaluation"),
        ("range(10**9)", "limit_exceeded"),
    ],
)
def test_what_cannot_be_read_is_an_error(text: str, code: str) -> None:
    with pytest.raises(DslError) as caught:
        evaluate(text)
    assert caught.value.code == code
