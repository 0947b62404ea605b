"""No script can hang or exhaust the process that runs it."""

from __future__ import annotations

import time

import pytest

from engine.dsl import Limits, compile_script
from engine.errors import DslError
from engine.operators import default_registry
from tests.support.scripts import Recorder, evaluate

TEXT_LIMIT = Limits().text_length

HOSTILE = {
    "a tower of powers": "10**10**9",
    "a huge power": "x = 7\nx ** 10 ** 9",
    "a long text": "'a' * 10**12",
    "a long list": "[1] * 10**12",
    "nested repetition": "[[[0] * 1000] * 1000] * 1000",
    "a megabyte of brackets": "(" * 1_000_000,
    "nested brackets": "(" * TEXT_LIMIT,
    "closed nested brackets": "[" * 101 + "]" * 101,
    "a long number": "9" * (TEXT_LIMIT - 1),
    "a float beyond all floats": "1e999",
    "a doubled text": "a = 'a'\n" + "a = a + a\n" * 1_900 + "a",
    "a doubled list": "a = [1]\n" + "a = a + a\n" * 1_900 + "len(a)",
    "shared lists": "a = [0, 0]\n" + "a = [a, a]\n" * 1_800 + "1",
    "nested lists": "a = [0]\n" + "a = [a]\n" * 2_000 + "1",
    "compared shared lists": "a = [0]\nb = [0]\n" + "a = [a, a]\nb = [b, b]\n" * 800 + "a == b",
    "squared integers": "x = 3\n" + "x = x * x\n" * 1_900 + "x",
    "many long ranges": "[" + ",".join(["range(100000)"] * 1_300) + "]",
    "sums of a long list": "x = range(100000)\n[" + ",".join(["sum(x)"] * 2_800) + "]",
    "a chain of conditions": "1 if 1 else " * 1_600 + "1",
    "a chain of subscripts": "x = [1]\nx" + "[0]" * 6_000,
    "a long range": "range(10**14)",
    "a decimal tower": "decimal('1e300') ** 100",
    "a huge decimal": "decimal('1e999999')",
    "the floor of a huge float": "floor(1e300)",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_script_ends_at_once_with_a_limit(text: str) -> None:
    started = time.monotonic()
    with pytest.raises(DslError) as caught:
        evaluate(text)
    assert caught.value.code == "limit_exceeded"
    assert time.monotonic() - started < 5


LONG = {
    "a sum": "1" + "+1" * 9_999,
    "a sum of locals": "x = 1\nx" + "+x" * 9_000,
    "signs": "-" * (TEXT_LIMIT - 1) + "1",
    "negations": "not " * 4_999 + "1",
    "powers": "1" + "**1" * 6_000,
    "comparisons": "1" + "<2" * 9_000,
    "conjunctions": "1" + " and 1" * 3_000,
    "a list": "[" + "1," * 9_900 + "]",
    "texts": "'a'" * 6_600,
    "arguments": "max(" + ",".join("1" * 9_000) + ")",
    "nesting up to the limit": "[" * 99 + "]" * 99,
    "calls up to the limit": "abs(" * 99 + "1" + ")" * 99,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
def test_a_script_at_the_text_limit_is_evaluated(text: str) -> None:
    evaluate(text)


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
