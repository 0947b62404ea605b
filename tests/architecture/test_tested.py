"""A module whose tests nobody finds is found, and so is a table that does not say where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import tested

REPOSITORY = Path(__file__).parents[2]
MODULE = "engine/job/planted.py"
TEST = "tests/engine/job/test_planted.py"
ELSEWHERE = "tests/engine/test_elsewhere.py"


def planted(root: Path, *files: str, table: str = "") -> Path:
    """A checkout with some files, all empty, and the rows of the table."""
    for file in (*files, "engine/job/__init__.py", tested.TABLE):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    (root / tested.TABLE).write_text(f"# Tests\n\n| module | tests |\n|---|---|\n{table}\n")
    return root


@pytest.mark.parametrize("module", [MODULE, "worker.py", "octoflow/planted.py"])
def test_a_module_without_tests_is_found(tmp_path: Path, module: str) -> None:
    root = planted(tmp_path, module)

    assert tested.check(root) == [
        f"{module}:1: write {tested.mirrored(module)}, or name its tests in tests/README.md"
    ]


@pytest.mark.parametrize(
    ("files", "table"),
    [
        ([MODULE, TEST], ""),
        ([MODULE, ELSEWHERE], f"| `{MODULE}` | `{ELSEWHERE}` |"),
        ([MODULE, "cli/other.py", ELSEWHERE], f"| `{MODULE}`, `cli/other.py` | `{ELSEWHERE}` |"),
        (["engine/__init__.py", "cli/__main__.py", "benchmarks/figures.py"], ""),
    ],
    ids=["mirrored", "in the table", "two in a row", "nothing to test"],
)
def test_a_module_whose_tests_are_found_is_not(tmp_path: Path, files: list[str], table: str) -> None:
    assert tested.check(planted(tmp_path, *files, table=table)) == []


@pytest.mark.parametrize(
    ("files", "table", "trouble"),
    [
        ([ELSEWHERE], f"| `{MODULE}` | `{ELSEWHERE}` |", f"{MODULE} is no module of the product"),
        ([MODULE], f"| `{MODULE}` | `{ELSEWHERE}` |", f"{ELSEWHERE} is no file of tests"),
        ([MODULE], f"| `{MODULE}` | `{MODULE}` |", f"{MODULE} is no file of tests"),
        ([MODULE], f"| `{MODULE}` | somewhere |", "it names no tests"),
        (
            [MODULE, TEST, ELSEWHERE],
            f"| `{MODULE}` | `{ELSEWHERE}` |",
            f"{MODULE} has {TEST}: take it out of the table",
        ),
        ([MODULE, ELSEWHERE], f"| `{MODULE}`, `{MODULE}` | `{ELSEWHERE}` |", f"{MODULE} is named 2 times"),
    ],
    ids=["no such module", "no such test", "not a test", "no test", "mirrored anyway", "twice"],
)
def test_what_the_table_says_wrongly_is_found(
    tmp_path: Path, files: list[str], table: str, trouble: str
) -> None:
    found = tested.check(planted(tmp_path, *files, table=table))
    assert set(found) == {f"tests/README.md:5: {trouble}"}


def test_every_module_has_its_tests() -> None:
    assert tested.check(REPOSITORY) == []
