"""`octoflow validate` tells every problem of every file, and where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Octoflow
from tests.conftest import REPOSITORY

GOOD = "name: bot\nactions: {a: 1 + 1}\n"
BAD = "name: bot\nactions: {a: 1 +, b: 'maxx(1, 2)'}\n"


@pytest.fixture
def good(tmp_path: Path) -> str:
    return _written(tmp_path / "good.yaml", GOOD)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    return _written(tmp_path / "bad.yaml", BAD)


def _written(file: Path, text: str) -> str:
    file.write_text(text)
    return str(file)


def test_a_sound_file_is_accepted(octoflow: Octoflow, good: str) -> None:
    ran = octoflow("validate", good)
    assert ran.exit_code == 0
    assert "1 action" in ran.out


def test_every_problem_of_every_file_is_printed_with_its_position(
    octoflow: Octoflow, good: str, bad: str
) -> None:
    octoflow.fails("validate", bad, good, code=2, saying=[f"{bad}:2:", "action 'a'", "action 'b'", "`max`"])


def test_programs_get_the_problems_as_json(octoflow: Octoflow, good: str, bad: str) -> None:
    ran = octoflow.fails("validate", "--json", good, bad, code=2)
    first, second = ran.json
    assert first == {"file": good, "valid": True, "actions": 1}
    assert [(problem["line"], problem["action"]) for problem in second["problems"]] == [
        (2, "a"),
        (2, "b"),
    ]


def test_standard_input_is_a_file_like_any_other(octoflow: Octoflow) -> None:
    assert octoflow("validate", "-", stdin=GOOD).exit_code == 0
    octoflow.fails("validate", "-", code=2, saying=["stdin:2:"], stdin=BAD)


def test_a_file_that_cannot_be_read_is_named(octoflow: Octoflow, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.yaml")
    octoflow.fails("validate", missing, code=2, saying=["missing.yaml", "No such file"])
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    octoflow.fails("validate", str(binary), code=2, saying=["UTF-8"])


@pytest.mark.parametrize(
    "example", sorted((REPOSITORY / "examples").glob("*.yaml")), ids=lambda file: file.stem
)
def test_every_example_is_valid(octoflow: Octoflow, example: Path) -> None:
    ran = octoflow("validate", str(example))
    assert ran.exit_code == 0, ran.err
