"""What scripts evaluate to, and in which order."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.errors import DslError
from tests.support.scripts import Recorder, evaluate, run

VALUES = [
    ("1 + 2 * 3", 7),
    ("(1 + 2) * 3", 9),
    ("-2 ** 2", -4),
    ("2 ** -1", 0.5),
    ("2 ** 3 ** 2", 512),
    ("7 // -2", -4),
    ("-7 % 3", 2),
    ("- - 3", 3),
    ("+True", 1),
    ("0x1f + 1_000 + 1e3", 2031.0),
    ("'a' 'b' + 'c' * 2", "abcc"),
    ("[1] + [2] * 2", [1, 2, 2]),
    ("1 and 2", True),
    ("0 or ''", False),
    ("not []", True),
    ("not not 5", True),
    ("1 < 2 <= 2 < 3", True),
    ("1 < 3 < 2", False),
    ("1 == 1.0 and True == 1", True),
    ("1 is 1.0", False),
    ("None is None and 1 is not 2", True),
    ("'b' in 'abc' and 4 not in [1, 2]", True),
    ("'a' in {'a': 1}", True),
    ("1 if '' else 2", 2),
    ("{'a': 1, **{'b': 2}}", {"a": 1, "b": 2}),
    ("[1, 2, 3][0.9:2.1]", [1, 2]),
    ("'abcd'[::2]", "ac"),
    ("{'a': [1, {'b': 5}]}['a'][1]['b']", 5),
    ("x = 2\ny = x + 1\nx * y", 6),
    ("x = 1\nx = x + 1\nx", 2),
    ("# a comment\n\n[1,\n 2]  # another\n", [1, 2]),
    ("pi", math.pi),
    ("round(**{'value': 1.239, **{'digits': 2}})", 1.24),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_an_expression_has_its_value(text: str, value: object) -> None:
    result = evaluate(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("decimal('0.1') + 0.2", Decimal("0.3")),
        ("decimal('0.1') * 3", Decimal("0.3")),
        ("decimal('1') / 4", Decimal("0.25")),
        ("decimal('2') + True", Decimal(3)),
        ("decimal('0.1') == 0.1", True),
        ("decimal('1') < nan", False),
        ("-decimal('1.5')", Decimal("-1.5")),
    ],
)
def test_a_float_meets_a_decimal_by_its_shortest_text(text: str, value: object) -> None:
    assert evaluate(text) == value


def test_series_are_computed_element_by_element() -> None:
    series = np.array([1.0, 2.0, 4.0])
    given = {"references": {"s": series}}
    assert (evaluate("$s * 2 + $s", **given) == [3.0, 6.0, 12.0]).all()
    assert (evaluate("$s - [1, 1, 1]", **given) == [0.0, 1.0, 3.0]).all()
    assert (evaluate("-$s", **given) == -series).all()
    assert evaluate("$s[-1]", **given) == 4.0
    assert isinstance(evaluate("$s[-1]", **given), float)
    assert evaluate("1 if $s else 2", **given) == 1
    assert evaluate("2 in $s", **given) is True
    assert (evaluate("$s[1:]", **given) == [2.0, 4.0]).all()
    assert evaluate("$s + [5]", **given) == [1.0, 2.0, 4.0, 5]


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0", "1.0 // 0", "1 % 0", "0 ** -1", "decimal('1') / 0", "$s / 0", "log(0)",
        "1 + 'a'", "None + 1", "[1] - [1]", "-'a'", "$s - [1, 2]", "abs('a')", "'%1000d' % 5",
        "1 < 'a'", "None < 1", "1 in 5", "1 in 'abc'", "$s > 1", "(-8) ** 0.5", "10.0 ** 400",
        "[1, 2][5]", "[1, 2][1.0]", "{'a': 1}['b']", "5[0]", "[1][::0]", "[1]['a':]", "{[1]: 2}",
        "mean([])", "float('x')",
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_an_evaluation_error_with_a_position(text: str) -> None:
    with pytest.raises(DslError) as caught:
        evaluate(text, references={"s": np.array([1.0, 2.0, 4.0])})
    assert caught.value.code == "evaluation"
    assert caught.value.position is not None
    assert "^" in (caught.value.excerpt or "")


def test_an_index_error_names_length_and_index() -> None:
    with pytest.raises(DslError, match="index 5 is out of range: the list has 3 items"):
        evaluate("[1, 2, 3][5]")


def test_a_missing_key_names_the_keys_and_suggests_one() -> None:
    with pytest.raises(DslError, match="no key 'amont'") as caught:
        evaluate("{'amount': 1}['amont']")
    assert caught.value.suggestion == "Did you mean 'amount'?"


ORDERS: list[tuple[str, Any, list[Any]]] = [
    ("effect(1) if False else 2", 2, []),
    ("effect(1) if effect(True) else effect(2)", 1, [True, 1]),
    ("False and effect(1)", False, []),
    ("effect(0) or effect(1) or effect(2)", True, [0, 1]),
    ("effect(1) < effect(2) < effect(3)", True, [1, 2, 3]),
    ("effect(2) < effect(1) < effect(3)", False, [2, 1]),
    ("effect(1) + effect(2) * effect(3)", 7, [1, 2, 3]),
    ("effect(2) ** effect(3) ** effect(2)", 512, [2, 3, 2]),
    ("effect(1, other=effect(2))", 1, [2, 1]),
    ("effect({'a': effect(2)})", {"a": 2}, [2, {"a": 2}]),
    ("{'a': effect(1), **effect({'b': 2})}", {"a": 1, "b": 2}, [1, {"b": 2}]),
    ("[effect(1), effect(2)][effect(0)]", 1, [1, 2, 0]),
    ("value_if(effect(1), ' == effect(1)')", 1, [1, 1]),
    ("if_error(effect(1) / 0, effect(2))", 2, [1, 2]),
    ("if_error(effect(1), effect(2))", 1, [1]),
    ("x = effect(1)\ny = x + x\neffect(y)", 2, [1, 2]),
    ("look(1) + effect(2)", 3, [("look", 1), 2]),
]


@pytest.mark.parametrize(("text", "value", "calls"), ORDERS)
def test_effects_happen_once_left_to_right_and_only_where_evaluated(
    text: str, value: Any, calls: list[Any]
) -> None:
    recorder = Recorder()
    assert evaluate(text, registry=recorder.registry) == value
    assert recorder.calls == calls


def test_an_error_keeps_later_effects_from_happening() -> None:
    recorder = Recorder()
    with pytest.raises(DslError):
        evaluate("1 + None + effect(1)", registry=recorder.registry)
    assert recorder.calls == []


def test_references_are_followed_into_results() -> None:
    given = {"references": {"buy": {"orders": [{"amount": Decimal("0.5")}]}}}
    assert evaluate("$buy.orders[0].amount * 2", **given) == Decimal("1.0")
    assert evaluate("i = 0\n$buy.orders[i].amount", **given) == Decimal("0.5")
    assert evaluate("$buy['orders'][-1]['amount']", **given) == Decimal("0.5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$buy.order", r"\$buy: there is no key 'order'; there is 'orders'"),
        ("$buy.orders[2]", r"\$buy.orders: index 2 is out of range: the list has 1 items"),
        ("$sell", r"\$sell has no result"),
    ],
)
def test_a_missing_step_of_a_reference_says_which_and_what_was_there(text: str, message: str) -> None:
    with pytest.raises(DslError, match=message):
        evaluate(text, references={"buy": {"orders": [1]}})


def test_an_unresolved_parameter_is_bound_by_name() -> None:
    assert evaluate("round(2.567, digits=UNRESOLVED_PARAMETER)", parameters={"digits": 1}) == 2.6
    assert evaluate("{'a': UNRESOLVED_PARAMETER}", parameters={"a": Decimal(1)}) == {"a": Decimal(1)}
    with pytest.raises(DslError, match="no dependency of this action declares the parameter digits"):
        evaluate("round(2.567, digits=UNRESOLVED_PARAMETER)")


def test_two_evaluations_with_the_same_inputs_agree() -> None:
    first, second = (run("wait(10, 1000)", seed="s", key_prefix="k") for _ in range(2))
    assert first == second
    assert first != run("wait(10, 1000)", seed="s", key_prefix="other")
