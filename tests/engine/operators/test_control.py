"""The control and automation operators."""

from __future__ import annotations

from typing import Any

import pytest

from engine.dsl import Directive, Done, Notify, StopAutomation, UpdateConfiguration, Waiting
from engine.errors import ActionStatus, DslError
from engine.operators.control import ErrorStatement
from tests.support.scripts import evaluate, run, through_json


def waiting(text: str, **given: Any) -> Waiting:
    outcome = run(text, **given)
    assert isinstance(outcome, Waiting)
    return outcome


# wait


def test_a_wait_is_due_when_its_delay_has_passed() -> None:
    first = waiting("wait(60)", now=1_000.0)
    assert first.recall.waiting_time == 60.0
    earlier = waiting("wait(60)", now=1_059.9, suspension=through_json(first))
    assert earlier.recall.waiting_time == pytest.approx(0.1)
    assert run("wait(60)", now=1_060.0, suspension=through_json(earlier)) == Done(None)


def test_a_wait_draws_its_delay_once_within_its_bounds() -> None:
    first = waiting("wait(50, 100.5)", now=1_000.0, seed="one")
    due = 1_000.0 + first.recall.waiting_time
    assert 50 <= first.recall.waiting_time <= 100.5
    again = waiting("wait(50, 100.5)", now=1_020.0, seed="another", suspension=through_json(first))
    assert 1_020.0 + again.recall.waiting_time == pytest.approx(due)


def test_a_forced_evaluation_only_reports_the_remaining_time() -> None:
    first = waiting("wait(60)", now=1_000.0)
    forced = waiting("wait(60)", now=1_010.0, forced=True, suspension=through_json(first))
    assert forced.recall.waiting_time == 50.0


@pytest.mark.parametrize("text", ["wait(0)", "wait(0, 0)", "wait(0, return_remaining_time=True)"])
def test_no_delay_is_over_at_once(text: str) -> None:
    assert run(text) == Done(None)


def test_equal_bounds_and_fractions_are_allowed() -> None:
    assert waiting("wait(1.25, 1.25)").recall.waiting_time == 1.25


@pytest.mark.parametrize("text", ["wait()", "wait('a')", "wait(-1)", "wait(1, -1)", "wait(5, 2)"])
def test_a_wait_refuses_other_delays(text: str) -> None:
    with pytest.raises(DslError) as caught:
        run(text)
    assert caught.value.code == "invalid_parameters"


# loop_until


def loop(text: str, readings: dict[float, Any], **given: Any) -> tuple[Any, list[float]]:
    """Run a loop over `$x`, given its value at some times; return its outcome and when it was checked."""
    suspension = None
    for now, value in readings.items():
        outcome = run(text, now=now, references={"x": value}, suspension=suspension, **given)
        if isinstance(outcome, Done):
            return outcome.value, list(readings)
        suspension = through_json(outcome)
    return outcome, list(readings)


def test_a_loop_evaluates_its_condition_afresh_and_gives_its_value() -> None:
    value, _ = loop("loop_until($x, 10)", {1_000.0: 0, 1_010.0: "", 1_020.0: 7})
    assert value == 7


def test_the_cadence_of_a_loop_does_not_drift() -> None:
    first = waiting("loop_until($x, 10)", now=1_000.0, references={"x": 0})
    late = waiting("loop_until($x, 10)", now=1_034.0, references={"x": 0}, suspension=through_json(first))
    assert 1_034.0 + late.recall.waiting_time == 1_040.0


def test_an_early_check_counts_no_attempt_and_moves_nothing() -> None:
    text = "loop_until($x, 10, max_attempts=2)"
    first = waiting(text, now=1_000.0, references={"x": 0})
    forced = waiting(text, now=1_004.0, forced=True, references={"x": 0}, suspension=through_json(first))
    assert forced.recall.waiting_time == 6.0
    assert forced.recall.state["attempts"] == 1
    with pytest.raises(DslError, match="2 checks"):
        run(text, now=1_010.0, references={"x": 0}, suspension=through_json(forced))
    assert run(text, now=1_004.0, references={"x": 1}, suspension=through_json(first)) == Done(1)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("loop_until($x, 10, max_attempts=1)", [1_000.0]),
        ("loop_until($x, 10, timeout=0)", [1_000.0]),
        ("loop_until($x, 10, max_attempts=3)", [1_000.0, 1_010.0, 1_020.0]),
        ("loop_until($x, 10, timeout=15)", [1_000.0, 1_010.0, 1_015.0]),
    ],
)
def test_an_exhausted_loop_has_a_status_of_its_own(text: str, times: list[float]) -> None:
    *before, last = times
    suspension = None
    for now in before:
        suspension = through_json(waiting(text, now=now, references={"x": 0}, suspension=suspension))
    with pytest.raises(DslError) as caught:
        run(text, now=last, references={"x": 0}, suspension=suspension)
    assert caught.value.code == "error_statement"
    assert caught.value.status is ActionStatus.MAX_ATTEMPTS_EXCEEDED
    assert caught.value.column == 1


@pytest.mark.parametrize(
    "text",
    ["loop_until(True, -1)", "loop_until(True, 1, max_attempts=0)", "loop_until(True, 0, timeout=-1)",
     "loop_until(stop_automation(), 1)", "loop_until(wait(5), 1)", "loop_until(notify('a'), 1)"],
)  # fmt: skip
def test_a_loop_refuses_wrong_bounds_and_conditions_that_do_something(text: str) -> None:
    with pytest.raises(DslError) as caught:
        run(text)
    assert caught.value.code == "invalid_parameters"


# if_error, value_if, error


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("if_error(1 / 0, 5)", 5),
        ("if_error(1 / 0, '2 + 3')", 5),
        ("if_error(error('x'), \"'ok'\")", "ok"),
        ("if_error(if_error(1 / 0, '1 / 0'), '5')", 5),
        ("if_error(7, error('never'))", 7),
        ("if_error(1 / 0, $a)", "error('not run')"),
        ("value_if(15, ' > 12')", 15),
        ("value_if(15, ' >' + ' 20')", False),
        ("value_if(0, ' + 5')", 0),
        ("value_if(None, ' is None')", None),
        ("value_if(5, '')", 5),
        ("value_if('ab', \" in 'abc'\")", "ab"),
        ("value_if(5, not False)", 5),
        ("value_if(5, LOCAL_VALUE_PLACEHOLDER > 3 and LOCAL_VALUE_PLACEHOLDER < 6)", 5),
        ("value_if(5, value_if(2, ' < 3') == 2 and LOCAL_VALUE_PLACEHOLDER == 5)", 5),
    ],
)
def test_conditions_and_handlers_are_expressions_or_constant_texts_of_one(text: str, value: object) -> None:
    assert evaluate(text, references={"a": "error('not run')"}) == value


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("not_enough_funds",), "not_enough_funds", "Not enough funds"),
        (("not_enough_funds", "Add more funds"), "not_enough_funds", "Add more funds"),
        (("custom failure",), "dsl_execution_error", "custom failure"),
        (("a", "b"), "dsl_execution_error", "a, b"),
    ],
)
def test_an_error_statement_sets_the_status(arguments: tuple[str, ...], status: str, message: str) -> None:
    error = ErrorStatement(arguments)
    assert (error.status.value, error.message) == (status, message)
    with pytest.raises(DslError, match=message) as caught:
        evaluate(f"error({', '.join(map(repr, arguments))})")
    assert (caught.value.code, caught.value.column) == ("error_statement", 1)


# restart and directives


def test_a_restart_names_the_action_to_reset() -> None:
    recall = waiting("restart('buy', 3600)").recall
    assert (recall.keyword, recall.reset_to_id, recall.waiting_time) == ("restart", "buy", 3_600.0)


@pytest.mark.parametrize(
    ("text", "directive"),
    [
        ("stop_automation()", StopAutomation()),
        ("notify('bought')", Notify("bought")),
        ("update_automation_configuration('1 + 1')", UpdateConfiguration("1 + 1")),
    ],
)
def test_a_directive_goes_to_the_job(text: str, directive: Directive) -> None:
    assert run(text) == Done(None, (directive,), effects=1)
    assert run(f"{text} if False else 1") == Done(1)


def test_a_directive_before_a_wait_is_given_once() -> None:
    first = waiting("[notify('a'), wait(5)]", now=0.0)
    assert first.directives == (Notify("a"),)
    assert run("[notify('a'), wait(5)]", now=5.0, suspension=through_json(first)) == Done([None, None])


# previous


@pytest.mark.parametrize("value", [None, 0, "text", [1, 2], {"a": 1}])
def test_the_previous_result_is_what_the_action_had_before_its_reset(value: Any) -> None:
    assert evaluate("previous()", previous_execution_result=value) == value


def test_the_previous_result_is_seen_through_a_wait() -> None:
    first = waiting("[wait(60), previous()]", now=1_000.0, previous_execution_result=3)
    suspension = through_json(first)
    later = run("[wait(60), previous()]", now=1_060.0, suspension=suspension, previous_execution_result=3)
    assert later == Done([None, 3])
