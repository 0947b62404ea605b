"""Every case of the corpus, those that are consciously different aside."""

from __future__ import annotations

import pytest

from tests.conformance.compare import matches
from tests.conformance.corpus import FOLDER, Case, Corpus, differences, left_out
from tests.conformance.modes import run

CORPORA = [Corpus.read(FOLDER / name) for name in ("dsl.json", "exchange.json")]
CASES = [case for corpus in CORPORA for case in corpus.cases]
DIFFERENT = differences()
MOST_DIFFERENCES = 0.02


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.id not in DIFFERENT], ids=lambda case: case.id
)
async def test_case(case: Case) -> None:
    actual = await run(case)

    assert matches(actual, case.expected), f"{case.expression!r} gives {actual}, expected {case.expected}"


@pytest.mark.parametrize("case", [case for case in CASES if case.id in DIFFERENT], ids=lambda case: case.id)
async def test_a_difference_is_still_one(case: Case) -> None:
    assert not matches(await run(case), case.expected), (
        "this case passes: take it off the list of differences"
    )


def test_what_is_left_out_is_named_with_a_reason() -> None:
    used = {key for corpus in CORPORA for key in corpus.left_out}

    assert set(left_out()) == used
    assert all(len(reason) > 20 for reason in left_out().values())


def test_few_cases_are_different() -> None:
    known = {case.id for case in CASES}

    assert set(DIFFERENT) <= known
    assert len(DIFFERENT) <= MOST_DIFFERENCES * len(CASES)
    assert all(len(reason) > 20 for reason in DIFFERENT.values())
