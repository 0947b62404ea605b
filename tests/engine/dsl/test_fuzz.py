"""Nothing that can be written crashes or hangs the process that runs it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DslError
from tests.engine.dsl.hostile_scripts import growth, nesting, noise, nonsense, token_soup
from tests.support.examples import examples
from tests.support.measured import measure
from tests.support.scripts import run

_LONG_RUN = 2_000
"""Texts of the long run; some minutes."""


def is_answered(text: str) -> None:
    """A value, a suspension or a positioned error of the language; anything else is a crash."""
    try:
        run(text, references={"r": [{"b": 1.0}]})
    except DslError as error:
        answer = str(error) if error.position else ""
    else:
        answer = "a value"
    assert answer, text


@given(st.binary(max_size=200))
@examples(150)
def test_random_bytes_are_answered(content: bytes) -> None:
    is_answered(content.decode("utf-8", "surrogateescape"))


@given(st.text(max_size=60))
@examples(100)
def test_random_texts_are_answered(text: str) -> None:
    is_answered(text)


@pytest.mark.parametrize("make", [token_soup, noise, nesting, growth])
@given(seed=st.integers(0, 2**32), length=st.integers(1, 300))
@examples(50)
def test_nonsense_is_answered(make: object, seed: int, length: int) -> None:
    assert callable(make)
    is_answered(make(random.Random(seed), length))


def expensive(texts: list[str]) -> list[str]:
    """The texts that cost more than they may, with what they cost."""
    costs = zip(texts, measure(texts), strict=True)
    return [f"{cost}: {text[:300]!r}" for text, cost in costs if not cost.is_within_limits]


@pytest.mark.timeout(600)
def test_texts_at_the_text_limit_are_cheap() -> None:
    assert expensive(list(nonsense(seed=1, count=16))) == []


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_fuzz_long() -> None:
    """`make fuzz`; every run has other texts."""
    seed = random.SystemRandom().randrange(2**32)
    assert expensive(list(nonsense(seed, _LONG_RUN))) == [], f"seed {seed}"
