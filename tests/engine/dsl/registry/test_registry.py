"""Operators are Python functions whose signature is enforced and whose docstring is the reference."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest

from engine.dsl import (
    Choice,
    Kind,
    Number,
    OperatorContext,
    OperatorRegistry,
    OperatorSet,
    Range,
    Series,
    SymbolParam,
    Unit,
    operator,
)
from engine.errors import ConfigurationError, DslError, RetryableError
from engine.operators import default_registry
from tests.support.scripts import evaluate


def an_operator_set() -> OperatorSet:
    shown = OperatorSet("shown", "Operators of this test.")

    @operator(shown, kind=Kind.READ, example="probe('buy', 2)", source="price")
    def probe(
        context: OperatorContext,
        side: Annotated[str, Choice("buy", "sell")],
        amount: Annotated[Decimal, Range(gt=0), Unit("base")],
        *rest: int,
        symbol: Annotated[str | None, SymbolParam()] = None,
        flag: bool = False,
    ) -> list[Any]:
        """Return what it was given.

        A second paragraph.

        Args:
            side: which side
                to take.
            amount: how much.
            rest: more numbers.
            symbol: the market.
            flag: a switch.
        """
        return [side, amount, *rest, symbol, flag]

    @operator(shown, kind=Kind.PURE, example="size([1])")
    def size(values: Series, whole: int = 0) -> int:
        """Return a length."""
        return len(values) + whole

    @operator(shown, kind=Kind.READ, example="fail('x')")
    def fail(context: OperatorContext, how: str) -> Number:
        """Fail in some way."""
        raise {"python": KeyError("inside"), "retry": RetryableError("later"), "dsl": DslError("no")}[how]

    @operator(shown, kind=Kind.READ, example="odd()")
    def odd(context: OperatorContext) -> Any:
        """Return something that is no value of the language."""
        return object()

    return shown


REGISTRY = OperatorRegistry([an_operator_set()])


def test_arguments_arrive_as_the_signature_wants_them() -> None:
    given = {"registry": REGISTRY}
    assert evaluate("probe('buy', 0.1, 2.0, 3, symbol='A/B', flag=True)", **given) == [
        "buy", Decimal("0.1"), 2, 3, "A/B", True,
    ]  # fmt: skip
    assert evaluate("probe(amount=1, side='sell', symbol='A/B')", **given)[:2] == ["sell", Decimal(1)]


def test_a_wrong_choice_fails_as_an_evaluation() -> None:
    with pytest.raises(DslError, match="side must be one of 'buy', 'sell'; it is str 'hold'") as caught:
        evaluate("probe('hold', 1)", registry=REGISTRY)
    assert caught.value.code == "evaluation"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("probe('buy', 0)", "amount must be a number, above 0; it is int 0"),
        ("probe('buy', '1')", "amount must be a number, above 0; it is str '1'"),
        ("probe('buy', 1, 2.5)", "rest must be a whole number; it is float 2.5"),
        ("probe('buy', 1, flag=1)", "flag must be True or False; it is int 1"),
        ("probe('buy', 1, symbol=5)", "symbol must be a symbol such as 'BTC/USDT'; it is int 5"),
        ("size('abc')", "values must be a list or series of numbers; it is str 'abc'"),
        ("size({'a': 1})", "values must be a list or series of numbers; it is a dict of 1 items"),
        ("probe('buy', 1)", "needs a symbol, and the automation has none"),
    ],
)
def test_an_argument_that_does_not_fit_says_what_would(text: str, message: str) -> None:
    with pytest.raises(DslError) as caught:
        evaluate(text, registry=REGISTRY)
    assert caught.value.code == "invalid_parameters"
    assert message in caught.value.message


def test_errors_of_operators_stand_at_the_call() -> None:
    with pytest.raises(DslError, match=r"fail\(\): 'inside'") as caught:
        evaluate("1 + fail('python')", registry=REGISTRY)
    assert (caught.value.code, caught.value.column) == ("evaluation", 5)
    with pytest.raises(DslError, match="no") as caught:
        evaluate("1 + fail('dsl')", registry=REGISTRY)
    assert caught.value.column == 5


def test_an_error_that_asks_for_another_attempt_passes_through() -> None:
    with pytest.raises(RetryableError):
        evaluate("fail('retry')", registry=REGISTRY)


def test_a_result_that_is_no_value_is_an_error() -> None:
    with pytest.raises(DslError, match="it gave a object, which is no value of the language"):
        evaluate("odd()", registry=REGISTRY)


def test_an_operator_describes_itself() -> None:
    described = REGISTRY.describe()[0]
    assert described["signature"].startswith("probe(side: str, amount: decimal, *rest: int")
    assert described["summary"] == "Return what it was given."
    assert described["description"] == "A second paragraph."
    assert described["needs_exchange"] is True
    side, amount, rest, symbol, flag = described["parameters"]
    assert side == {
        "name": "side", "type": "str", "required": True, "choices": ["buy", "sell"],
        "description": "which side to take.",
    }  # fmt: skip
    assert (amount["unit"], amount["range"]) == ("base", "above 0")
    assert rest["variadic"] is True
    assert symbol["default_from"] == "automation"
    assert flag["default"] is False


def test_every_built_in_operator_is_documented_and_its_example_compiles() -> None:
    registry = default_registry()
    for definition in registry.definitions():
        assert definition.summary.endswith("."), definition.name
        assert all(parameter.description for parameter in definition.parameters), definition.name
        assert definition.name in definition.example, definition.name


def test_two_operators_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="probe is in two sets: shown and shown"):
        OperatorRegistry([an_operator_set(), an_operator_set()])
    twice = OperatorSet("twice", "x")

    def same() -> None:
        """Do nothing."""

    operator(twice, kind=Kind.PURE, example="same()")(same)
    with pytest.raises(ConfigurationError, match="same is registered twice in the set twice"):
        operator(twice, kind=Kind.PURE, example="same()")(same)


def test_an_operator_that_the_reference_cannot_show_is_refused() -> None:
    mute = OperatorSet("mute", "x")

    def silent() -> None:
        pass

    def strange(value: complex) -> None:
        """Take something strange."""

    for function, message in ((silent, "needs a docstring"), (strange, "cannot take")):
        with pytest.raises(TypeError, match=message):
            operator(mute, kind=Kind.PURE, example="x()")(function)
