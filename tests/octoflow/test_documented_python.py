"""The Python that the documentation and the examples show imports the public face only, and works."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from octoflow.testing import evaluate
from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "examples" / "operator_package"
SCRIPTS = "operators.md"
"""What it calls Python are scripts of the expression language."""

INSIDE = "CONTRIBUTING.md"
"""For those who work on the inside; its examples are run by test_newcomer.py."""

PAGES = [
    *(page for page in sorted((REPOSITORY / "docs").glob("*.md")) if page.name != SCRIPTS),
    *(page for page in sorted(REPOSITORY.glob("*.md")) if page.name != INSIDE),
    PACKAGE / "README.md",
]


def blocks_of(page: Path) -> list[str]:
    """The Python on a page."""
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


def imported(code: str) -> Iterator[str]:
    """The top-level names of the modules that some code imports."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]


def declared() -> set[str]:
    """The packages that the example package says it needs, and the module that it is."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    return {re.split(r"[<>=]", one)[0] for one in needed} | {"example_operators"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_import_the_public_face_only(page: Path) -> None:
    names = {name for block in blocks_of(page) for name in imported(block)}
    assert names <= sys.stdlib_module_names | {"octoflow"}


@pytest.mark.parametrize("file", sorted((REPOSITORY / "examples").rglob("*.py")), ids=lambda file: file.name)
def test_examples_import_the_public_face_only(file: Path) -> None:
    assert set(imported(file.read_text())) <= sys.stdlib_module_names | declared()


def run_page(name: str) -> dict[str, Any]:
    """Run everything that a page shows, one block after the other, as one module."""
    module = ModuleType("shown")
    for block in blocks_of(REPOSITORY / "docs" / name):
        exec(compile(block, name, "exec", dont_inherit=True), module.__dict__)
    return module.__dict__


def test_the_operators_that_are_shown_work() -> None:
    shown = run_page("writing-operators.md")["SET"]
    assert set(shown.operators) == {"drawdown", "blend", "mid", "until", "cancel_tagged"}
    assert evaluate("[drawdown(100, 75), mid([1, 9, 2, 4], 2)]", shown) == [0.25, 3.0]
    assert evaluate("blend([1, 2, 4], 2, factor=0.75)", shown) == 3.75


def test_a_program_invokes_an_automation(capsys: pytest.CaptureFixture[str]) -> None:
    run_page("python.md")
    assert "'rest'" in capsys.readouterr().out


def test_an_internal_import_would_be_noticed() -> None:
    assert set(imported("def f():\n    from engine.dsl import operator\nimport octoflow.testing")) == {
        "engine",
        "octoflow",
    }
