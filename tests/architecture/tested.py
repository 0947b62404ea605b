"""Whoever looks for a module's tests finds them: at its mirrored path, or in the table of tests/README.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

FOLDERS: Final = ("octoflow", "engine", "workflows", "activities", "cli")
MODULES: Final = ("worker.py", "connection.py", "codec.py")
DOORS: Final = frozenset({"__init__.py", "__main__.py"})
"""Files that hold nothing of their own to test."""

TABLE: Final = "tests/README.md"

_ROW: Final = re.compile(r"\| (?P<modules>[^|]*\.py`) \| (?P<tests>[^|]*) \|")
_PATH: Final = re.compile(r"`([\w./]+)`")


class _Row(NamedTuple):
    line: int
    modules: list[str]
    tests: list[str]


def check(root: Path) -> list[str]:
    """Return which modules have tests that nobody finds, and what the table says wrongly.

    Args:
        root: folder of the checkout.
    """
    rows = list(_rows(root))
    times = Counter(module for row in rows for module in row.modules)
    untold = [
        f"{module}:1: write {mirrored(module)}, or name its tests in {TABLE}"
        for module in sorted(_modules(root))
        if module not in times and not (root / mirrored(module)).is_file()
    ]
    return untold + [f"{TABLE}:{row.line}: {trouble}" for row in rows for trouble in _wrong(root, row, times)]


def mirrored(module: str) -> str:
    """Return where the tests of a module stand, unless the table says otherwise."""
    path = PurePosixPath(module)
    return str("tests" / path.with_name(f"test_{path.name}"))


def _modules(root: Path) -> Iterator[str]:
    yield from (name for name in MODULES if (root / name).is_file())
    for folder in FOLDERS:
        for file in (root / folder).rglob("*.py"):
            if file.name not in DOORS:
                yield file.relative_to(root).as_posix()


def _rows(root: Path) -> Iterator[_Row]:
    table = root / TABLE
    lines = table.read_text(encoding="utf-8").splitlines() if table.is_file() else []
    for number, line in enumerate(lines, start=1):
        if found := _ROW.fullmatch(line):
            yield _Row(number, _PATH.findall(found["modules"]), _PATH.findall(found["tests"]))


def _wrong(root: Path, row: _Row, times: Counter[str]) -> Iterator[str]:
    known = frozenset(_modules(root))
    for module in row.modules:
        if module not in known:
            yield f"{module} is no module of the product"
        elif (root / mirrored(module)).is_file():
            yield f"{module} has {mirrored(module)}: take it out of the table"
        if times[module] > 1:
            yield f"{module} is named {times[module]} times"
    if not row.tests:
        yield "it names no tests"
    for test in row.tests:
        if not re.fullmatch(r"tests/(\w+/)*test_\w+\.py", test) or not (root / test).is_file():
            yield f"{test} is no file of tests"
