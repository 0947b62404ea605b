"""Outside the engine nobody reads a state by the names of its fields: the models have members for that."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tests.support.state_tree import models, models_in

NOT_LOOKED_AT: Final = frozenset({"engine", "tests", "benchmarks", "examples", "docs"})
"""Top-level folders that hold the models themselves, or nothing of the product that runs."""

ALSO_ELSEWHERE: Final = frozenset({"automation_id"})
"""Names with more than one word that answers of the command line have, too."""

ALLOWED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "workflows/automation.py": "the query `state` is answered by the workflow alone, without credentials",
        "workflows/carried.py": "inputs of older runs say nothing but their state, and have to replay",
    }
)
"""Files that do it nevertheless, and why."""

ADVICE: Final = "'{}' of a state is read by its name: give its model a member"

_READING: Final = frozenset({"get", "pop", "setdefault"})


def check(root: Path) -> list[str]:
    """Return where a mapping is asked for what only a state has, and exceptions that nothing needs.

    A single word such as `status` means many things; what leads on into a state, and names of more than one
    word, are its own.

    Args:
        root: folder of the checkout.
    """
    names = frozenset(
        name
        for model in models()
        for name, field in model.model_fields.items()
        if "_" in name or models_in(field.annotation)
    )
    found: dict[str, list[str]] = {}
    for file in _product(root):
        path = file.relative_to(root).as_posix()
        read = _read_in(ast.parse(file.read_text(encoding="utf-8")), names - ALSO_ELSEWHERE)
        lines = [f"{path}:{line}: {ADVICE.format(name)}" for line, name in read]
        if lines:
            found[path] = lines
    unneeded = [
        f"{path}:1: it reads no state by name any more: take it off the list"
        for path in ALLOWED
        if path not in found and (root / path).exists()
    ]
    return [line for path in sorted(found.keys() - ALLOWED.keys()) for line in found[path]] + unneeded


def _product(root: Path) -> Iterator[Path]:
    for place in sorted(root.iterdir()):
        if place.is_dir() and place.name not in NOT_LOOKED_AT and not place.name.startswith("."):
            yield from sorted(place.rglob("*.py"))
        elif place.suffix == ".py":
            yield place


def _read_in(module: ast.Module, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        for key in _keys(node):
            if isinstance(key, ast.Constant) and key.value in names:
                yield key.lineno, str(key.value)


def _keys(node: ast.AST) -> list[ast.expr]:
    """Return what a mapping is asked for."""
    match node:
        case ast.Subscript(slice=key):
            return [key]
        case ast.Call(func=ast.Attribute(attr=method), args=[key, *_]) if method in _READING:
            return [key]
        case ast.Compare(left=key, ops=[ast.In() | ast.NotIn(), *_]):
            return [key]
        case ast.MatchMapping(keys=keys):
            return keys
    return []
