"""No script can hang or exhaust the process that runs it."""

from __future__ import annotations

import pytest

from engine.dsl import Limits, compile_script
from engine.errors import DslError
from engine.operators import default_registry
from tests.engine.dsl.hostile_scripts import HOSTILE, LONG, TEXT_LIMIT
from tests.support.measured import Cost, measure
from tests.support.scripts import Recorder, evaluate

SCRIPTS = HOSTILE | LONG

pytestmark = pytest.mark.timeout(600)
"""All scripts are measured by the first test that asks, which takes minutes beside busy neighbours."""


@pytest.fixture(scope="module")
def costs() -> dict[str, Cost]:
    """What each script costs in a process of its own."""
    return dict(zip(SCRIPTS, measure(list(SCRIPTS.values())), strict=True))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_script_ends_at_once_with_a_limit(name: str, costs: dict[str, Cost]) -> None:
    assert costs[name].outcome == "limit_exceeded"


@pytest.mark.parametrize("name", LONG)
def test_a_script_at_the_text_limit_is_evaluated(name: str, costs: dict[str, Cost]) -> None:
    assert costs[name].outcome == ""


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_costs_more_than_a_hundred_times_the_reference_work_and_50_megabytes(
    name: str, costs: dict[str, Cost]
) -> None:
    assert costs[name].is_within_limits, costs[name]


@pytest.mark.parametrize(
    "text",
    ["$" * TEXT_LIMIT, "." * TEXT_LIMIT, ";" * TEXT_LIMIT, "1/0+" * 4_000, "\n" * TEXT_LIMIT, "a " * 9_999],
)
def test_nonsense_at_the_text_limit_is_refused(text: str) -> None:
    with pytest.raises(DslError):
        evaluate(text)


def test_values_at_the_limits_are_allowed() -> None:
    assert evaluate("2 ** 255 + (2 ** 255 - 1)") == 2**256 - 1
    assert evaluate("len('a' * 1000000)") == 1_000_000
    assert evaluate("len([0] * 1000000)") == 1_000_000


@pytest.mark.parametrize(
    "text", ["2 ** 256", "2 ** 255 * 2", "x = 2 ** 255\nx + x", "$x * 3", "'a' * 1000001", "$x + 1"]
)
def test_values_over_the_limits_are_refused(text: str) -> None:
    with pytest.raises(DslError) as caught:
        evaluate(text, references={"x": 2**256 - 1})
    assert caught.value.code == "limit_exceeded"


def test_an_error_handler_does_not_catch_a_limit() -> None:
    with pytest.raises(DslError) as caught:
        evaluate("if_error('a' * $n, 0)", references={"n": 10**12})
    assert caught.value.code == "limit_exceeded"


def test_effects_are_counted() -> None:
    recorder = Recorder()
    with pytest.raises(DslError, match="would be effect number 51; 50 are allowed"):
        evaluate("[" + "effect(1)," * 51 + "]", registry=recorder.registry)
    assert len(recorder.calls) == 50


def test_limits_are_settings() -> None:
    with pytest.raises(DslError, match="the script has 6 characters; 5 are allowed"):
        compile_script("1 + 22", default_registry(), Limits(text_length=5))
    with pytest.raises(DslError, match="nested more than 2 deep"):
        compile_script("(((1)))", default_registry(), Limits(nesting=2))
    assert compile_script("'(((' + '[[['", default_registry(), Limits(nesting=2)).is_plain
