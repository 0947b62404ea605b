"""Adding an operator takes what CONTRIBUTING.md says, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from textwrap import dedent

import pytest

from activities.build_id import SHIPPED
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text()
FILES = {
    path: dedent(code)
    for path, code in re.findall(
        r"^ +`([\w/]+\.py)`:\n\n( +```python\n.*?) +```", PAGE, re.DOTALL | re.MULTILINE
    )
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source in which somebody has done what the page says."""
    folder = tmp_path_factory.mktemp("newcomer") / "source"
    folder.mkdir()
    for name in (*SHIPPED, "pyproject.toml"):
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for path, code in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(code.partition("\n")[2])
    module = folder / "engine" / "operators" / "__init__.py"
    (named,) = re.findall(r"in `_BUILT_IN` in `engine/operators/__init__\.py`: add `(.*?)`", PAGE)
    start = "_BUILT_IN: Final = (\n"
    assert start in module.read_text()
    module.write_text(module.read_text().replace(start, f"{start}    {named}\n"))
    return folder


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy, on the libraries of this environment, without the checkout on its path."""
    path = os.pathsep.join([str(tree), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_page_shows_an_operator_and_its_tests() -> None:
    assert list(FILES) == ["engine/operators/spreads.py", "tests/engine/operators/test_spreads.py"]


def test_its_tests_pass(tree: Path) -> None:
    ran = run(
        tree, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider", "tests"
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout


def test_it_is_in_the_reference(tree: Path) -> None:
    reference = run(tree, "-m", "cli", "operators", "--markdown")
    assert "spread(bid: number, ask: number)" in reference.stdout


def test_automations_can_call_it(tree: Path) -> None:
    (tree / "bot.yaml").write_text('name: Newcomer\nactions: {narrow: "spread(100, 101) < 0.02"}\n')
    assert run(tree, "-m", "cli", "validate", "bot.yaml").returncode == 0


def test_it_passes_lint(tree: Path) -> None:
    files = [str(tree / path) for path in FILES]
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        program = str(Path(sys.executable).with_name("ruff"))
        ran = subprocess.run(
            [program, *command, *files], cwd=tree, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
