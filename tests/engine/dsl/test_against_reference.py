"""The evaluator gives what a simple reference interpreter gives, in the same order."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given

from engine.errors import DslError
from tests.support.examples import examples
from tests.support.generated import REFERENCES, scripts
from tests.support.reference_interpreter import Failed, LimitExceeded, ReferenceInterpreter
from tests.support.scripts import Recorder, context, run_to_end


def ours(text: str) -> tuple[Any, list[Any]]:
    recorder = Recorder(pauses=False)
    try:
        value, _ = run_to_end(text, recorder.registry, context(references=REFERENCES))
    except DslError as error:
        value = "limit" if error.code == "limit_exceeded" else "failed"
    return value, recorder.calls


def theirs(text: str) -> tuple[Any, list[Any]]:
    reference = ReferenceInterpreter(REFERENCES)
    value: Any
    try:
        value = reference.run(text)
    except Failed:
        value = "failed"
    except LimitExceeded:
        value = "limit"
    return value, reference.calls


@given(scripts())
@example("x = $big\nx * x * x")
@example("value_if(value_if(effect(1), LOCAL_VALUE_PLACEHOLDER > 0), LOCAL_VALUE_PLACEHOLDER < effect(2))")
@examples(250)
def test_values_and_order_are_those_of_the_reference(text: str) -> None:
    assert ours(text) == theirs(text)
