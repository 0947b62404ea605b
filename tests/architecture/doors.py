"""Packages are entered through their door: what `__init__` names in `__all__`, and nothing behind it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOMS: Final = ("engine", "cli")
"""Top-level packages whose packages have doors; they themselves are only a roof."""

PRODUCT: Final = ("octoflow", "engine", "workflows", "activities", "cli", "benchmarks")


def check(root: Path) -> list[str]:
    """Return what enters a package past its door, or by a name that the door does not have.

    Args:
        root: folder of the checkout.
    """
    files = [*root.glob("*.py"), *(file for top in PRODUCT for file in (root / top).rglob("*.py"))]
    return [
        f"{file.relative_to(root)}:{line}: {trouble}"
        for file in sorted(files)
        for line, trouble in _troubles(root, file)
    ]


def _troubles(root: Path, file: Path) -> Iterator[tuple[int, str]]:
    home = file.relative_to(root).parent.parts
    for statement in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if door := _door(root, home, tuple(alias.name.split("."))):
                    yield statement.lineno, f"import the names of {'.'.join(door)}, not its modules"
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            module = tuple(statement.module.split("."))
            if len(module) > 1 and home[: len(module)] == module and file.name != "__init__.py":
                if not all(_is_module(root, (*module, alias.name)) for alias in statement.names):
                    yield statement.lineno, f"{'.'.join(module)} is the door of this very package"
                continue
            door = _door(root, home, module)
            if door is None:
                continue
            for alias in statement.names:
                if door != module:
                    yield statement.lineno, f"import {alias.name} from {'.'.join(door)}, which is its door"
                elif alias.name not in _names(root.joinpath(*door, "__init__.py")):
                    yield statement.lineno, f"{alias.name} is not in __all__ of {'.'.join(door)}"


def _door(root: Path, home: tuple[str, ...], module: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the outermost package that an import enters from outside, if it enters one."""
    if module[0] not in ROOMS:
        return None
    for length in range(2, len(module) + 1):
        package = module[:length]
        if home[:length] != package and root.joinpath(*package, "__init__.py").is_file():
            return package
    return None


def _is_module(root: Path, name: tuple[str, ...]) -> bool:
    place = root.joinpath(*name)
    return place.with_suffix(".py").is_file() or place.is_dir()


@cache
def _names(door: Path) -> frozenset[str]:
    lists = [
        statement.value
        for statement in ast.parse(door.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign | ast.AugAssign) and "__all__" in ast.unparse(statement)
    ]
    return frozenset(name for one in lists for name in ast.literal_eval(one))
