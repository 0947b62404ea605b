"""A suspended script goes on exactly where it stood, whatever was killed in between."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from engine.dsl import Done, DSLExecutor, Limits, Waiting, compile_script
from engine.errors import DslError
from tests.support.examples import examples
from tests.support.generated import REFERENCES, scripts
from tests.support.scripts import Recorder, context, run, run_to_end, through_json

PAUSE = ("pause", None)

SCRIPTS: list[tuple[str, Any, list[Any]]] = [
    ("[effect(1), pause, effect(2)]", [1, None, 2], [1, PAUSE, 2]),
    ("effect(1) + pause(2) + effect(3)", 6, [1, ("pause", 2), 3]),
    ("effect(1) + effect(2) * pause(3)", 7, [1, 2, ("pause", 3)]),
    ("effect(2) ** pause(3)", 8, [2, ("pause", 3)]),
    ("max(effect(1), pause(5), effect(3))", 5, [1, ("pause", 5), 3]),
    ("effect(pause(4), other=effect(1))", 4, [("pause", 4), 1, 4]),
    ("{'a': effect(1), 'b': pause(2), effect('c'): 3}", {"a": 1, "b": 2, "c": 3}, [1, ("pause", 2), "c"]),
    ("[effect(1), 2, 3][pause(1)]", 2, [1, ("pause", 1)]),
    ("[1, 2, 3, 4][effect(1):pause(3)]", [2, 3], [1, ("pause", 3)]),
    ("pause(1) if effect(True) else effect(2)", 1, [True, ("pause", 1)]),
    ("effect(1) if pause(False) else effect(2)", 2, [("pause", False), 2]),
    ("effect(1) and pause(1) and effect(0) and effect(5)", False, [1, ("pause", 1), 0]),
    ("effect(0) or pause(0) or effect(1)", True, [0, ("pause", 0), 1]),
    ("effect(1) < pause(2) < effect(3)", True, [1, ("pause", 2), 3]),
    ("not pause(0)", True, [("pause", 0)]),
    ("-pause(2)", -2, [("pause", 2)]),
    ("x = effect(1)\ny = pause(2)\nz = effect(x + y)\n[x, y, z]", [1, 2, 3], [1, ("pause", 2), 3]),
    ("if_error(effect(1) + pause(1) / 0, effect(2) + pause(3))", 5, [1, ("pause", 1), 2, ("pause", 3)]),
    ("if_error(effect(1) / 0, [pause(2), effect(3)])", [2, 3], [1, ("pause", 2), 3]),
    ("value_if(effect(5), ' == effect(5) + pause(0)')", 5, [5, 5, ("pause", 0)]),
    ("value_if(pause(5), LOCAL_VALUE_PLACEHOLDER > 3)", 5, [("pause", 5)]),
    (
        "[[effect(1), [pause(2), [pause(3), effect(4)]]]]",
        [[1, [2, [3, 4]]]],
        [1, ("pause", 2), ("pause", 3), 4],
    ),
    ("look(pause(1)) + effect(2)", 3, [("pause", 1), ("look", 1), 2]),
]


@pytest.mark.parametrize(("text", "value", "calls"), SCRIPTS)
def test_everything_is_evaluated_once_around_a_suspension(text: str, value: Any, calls: list[Any]) -> None:
    recorder = Recorder()
    result, suspensions = run_to_end(text, recorder.registry, context())
    assert result == value
    assert recorder.calls == calls
    assert suspensions == sum(isinstance(call, tuple) and call[0] == "pause" for call in calls)


def test_a_decision_is_made_once() -> None:
    text = "wait(50) if now() < 2000 else 'late'"
    first = run(text, now=1_000.0)
    assert isinstance(first, Waiting)
    assert run(text, now=5_000.0, suspension=through_json(first)) == Done(None)


def test_values_keep_their_type_across_a_suspension() -> None:
    recorder = Recorder()
    text = "[decimal('1.5'), nan, {'a': $s}, pause(1)]"
    given_context = context(references={"s": Decimal("2.50")})
    value, _ = run_to_end(text, recorder.registry, given_context)
    assert value[0] == Decimal("1.5")
    assert value[1] != value[1]
    assert value[2] == {"a": Decimal("2.50")}
    assert isinstance(value[2]["a"], Decimal)


def test_the_operator_gets_back_what_it_gave() -> None:
    waiting = run("1 + wait(60)", now=100.0)
    assert isinstance(waiting, Waiting)
    assert waiting.recall.public(100.0) == {
        "ReCallingOperatorResult": {
            "keyword": "wait",
            "last_execution_result": {"waiting_time": 60.0, "last_execution_time": 100.0, "due": 160.0},
        }
    }
    recalled = waiting.suspension["operator_state"]["ReCallingOperatorResult"]
    assert recalled["keyword"] == "wait"
    assert recalled["last_execution_result"]["due"] == 160.0


def test_a_suspension_of_another_text_starts_anew() -> None:
    recorder = Recorder()
    waiting = run("[effect(1), pause]", registry=recorder.registry)
    assert isinstance(waiting, Waiting)
    again = run("[effect(2), pause]", registry=recorder.registry, suspension=through_json(waiting))
    assert isinstance(again, Waiting)
    assert recorder.calls == [1, PAUSE, 2, PAUSE]


def test_a_suspension_of_another_grammar_starts_anew() -> None:
    recorder = Recorder()
    waiting = run("[effect(1), pause]", registry=recorder.registry)
    assert isinstance(waiting, Waiting)
    older = {**through_json(waiting), "grammar_version": 0}
    run("[effect(1), pause]", registry=recorder.registry, suspension=older)
    assert recorder.calls == [1, PAUSE, 1, PAUSE]


def test_what_a_suspended_script_keeps_is_bounded() -> None:
    recorder = Recorder()
    with pytest.raises(DslError, match="65,536 are allowed") as caught:
        run("[range(50000),\n pause]", registry=recorder.registry)
    assert str(caught.value).startswith("line 2, column 2")
    assert caught.value.code == "limit_exceeded"
    small = Limits(kept_bytes=20)
    with pytest.raises(DslError, match="20 are allowed"):
        run("['a text of some length', pause]", registry=recorder.registry, limits=small)


def test_a_script_without_io_suspends_without_an_event_loop() -> None:
    script = compile_script("[1, wait(60), 2]", Recorder().registry)
    assert script.is_sync
    waiting = DSLExecutor(script, context(now=0.0)).execute_sync()
    assert isinstance(waiting, Waiting)
    assert DSLExecutor(script, context(now=60.0)).execute_sync(waiting.suspension) == Done([1, None, 2])


def _outcome(text: str, recorder: Recorder) -> Any:
    try:
        return run_to_end(text, recorder.registry, context(references=REFERENCES))[0]
    except DslError as error:
        return error.code, error.message


@given(text=scripts())
@examples(150)
def test_killing_and_resuming_at_every_suspension_changes_nothing(text: str) -> None:
    interrupted, undisturbed = Recorder(), Recorder(pauses=False)
    assert _outcome(text, interrupted) == _outcome(text, undisturbed)
    assert interrupted.calls == undisturbed.calls


@given(text=scripts())
@examples(50)
def test_a_resumption_can_be_repeated(text: str) -> None:
    """A killed worker repeats an invocation from the same state: it must find the same outcome."""
    first = Recorder()
    script_context = context(references=REFERENCES)
    try:
        waiting = run(text, registry=first.registry, references=REFERENCES)
    except DslError:
        return
    if isinstance(waiting, Waiting):
        stored = through_json(waiting)
        later = replace(script_context, now=script_context.now + 1)
        outcomes = [_attempt(text, later, stored) for _ in range(2)]
        assert outcomes[0] == outcomes[1]


def _attempt(text: str, script_context: Any, suspension: dict[str, Any]) -> tuple[Any, list[Any]]:
    recorder = Recorder()
    try:
        outcome: Any = run(
            text,
            registry=recorder.registry,
            suspension=suspension,
            now=script_context.now,
            references=REFERENCES,
        )
    except DslError as error:
        outcome = str(error)
    return outcome, recorder.calls
