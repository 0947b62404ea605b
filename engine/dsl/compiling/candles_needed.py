"""Finds out how many of the newest candles a script looks at.

The syntax tree is walked from the result down, with the number of newest items that are needed of each
expression's value: one for `[-1]`, a period more inside an indicator, all (None) where that cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.dsl.syntax import (
    Arithmetic,
    Call,
    Comparison,
    Conditional,
    Constant,
    DictLiteral,
    Expression,
    ListLiteral,
    Logical,
    Name,
    Not,
    Power,
    Script,
    Signed,
    Slice,
    Subscript,
)

CandleCount = int | None
"""How many of the newest items are needed; None for all there are."""


def candles_needed(
    script: Script, windows: Mapping[int, CandleCount], texts: Mapping[int, Expression]
) -> dict[int, CandleCount]:
    """Return what is needed of the value of every call and bare name, by the node's `id`.

    Args:
        script: the tree.
        windows: by the `id` of a call of an indicator, what it needs for its newest value.
        texts: by the `id` of an argument that is a text of an expression, that expression.
    """
    walk = _Walk(windows, texts)
    walk.visit(script.result, None)
    for assignment in reversed(script.assignments):
        walk.visit(assignment.value, walk.local_needs.pop(assignment.name, None))
    return walk.needs


def more(one: CandleCount, other: CandleCount) -> CandleCount:
    """Return the larger of two needs."""
    return None if one is None or other is None else max(one, other)


class _Walk:
    """One walk; `needs` and `local_needs` are what it finds."""

    def __init__(self, windows: Mapping[int, CandleCount], texts: Mapping[int, Expression]) -> None:
        self.needs: dict[int, CandleCount] = {}
        self.local_needs: dict[str, CandleCount] = {}
        self._windows = windows
        self._texts = texts

    def visit(self, node: Expression, need: CandleCount) -> None:
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node, need)

    def name(self, node: Name, need: CandleCount) -> None:
        self.needs[id(node)] = need
        self.local_needs[node.name] = more(self.local_needs.get(node.name, 0), need)

    def call(self, node: Call, need: CandleCount) -> None:
        self.needs[id(node)] = need
        window = self._windows.get(id(node))
        inner = None if window is None or need is None else window + need - 1
        for argument in node.arguments:
            self.visit(argument.value, inner)
            text = self._texts.get(id(argument.value))
            if text is not None:
                self.visit(text, None)

    def subscript(self, node: Subscript, need: CandleCount) -> None:
        del need
        index = _negative(node.index)
        self.visit(node.value, index)
        self.visit(node.index, None)

    def slice(self, node: Slice, need: CandleCount) -> None:
        del need
        self.visit(node.value, None if node.start is None or node.step else _negative(node.start))
        for bound in (node.start, node.stop, node.step):
            if bound is not None:
                self.visit(bound, None)

    def conditional(self, node: Conditional, need: CandleCount) -> None:
        self.visit(node.test, None)
        self.visit(node.then, need)
        self.visit(node.otherwise, need)

    def arithmetic(self, node: Arithmetic, need: CandleCount) -> None:
        for operand in (node.first, *(step.operand for step in node.rest)):
            self.visit(operand, need)

    def signed(self, node: Signed, need: CandleCount) -> None:
        self.visit(node.operand, need)

    def all_of_each(self, node: Expression, need: CandleCount) -> None:
        del need
        for child in _children(node):
            self.visit(child, None)


def _children(node: Expression) -> list[Expression]:
    match node:
        case ListLiteral():
            return list(node.items)
        case DictLiteral():
            return [part for entry in node.entries for part in (entry.key, entry.value) if part is not None]
        case Power() | Logical():
            return list(node.operands)
        case Comparison():
            return [node.first, *(step.operand for step in node.rest)]
        case Not():
            return [node.operand]
        case _:
            return []


def _negative(index: Expression) -> CandleCount:
    """Return 3 for `-3`; None for an index that is not counted from the end."""
    if isinstance(index, Signed) and index.signs == ("-",) and isinstance(index.operand, Constant):
        value = index.operand.value
        return value if isinstance(value, int) and value > 0 else None
    return None


_HANDLERS: Final[dict[type, Callable[[_Walk, Any, CandleCount], None]]] = {
    Arithmetic: _Walk.arithmetic,
    Call: _Walk.call,
    Comparison: _Walk.all_of_each,
    Conditional: _Walk.conditional,
    DictLiteral: _Walk.all_of_each,
    ListLiteral: _Walk.all_of_each,
    Logical: _Walk.all_of_each,
    Name: _Walk.name,
    Not: _Walk.all_of_each,
    Power: _Walk.all_of_each,
    Signed: _Walk.signed,
    Slice: _Walk.slice,
    Subscript: _Walk.subscript,
}
