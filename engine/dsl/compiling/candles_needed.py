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
    ChainLink,
    Conditional,
    Constant,
    Expression,
    Name,
    Node,
    Script,
    Signed,
    Slice,
    Subscript,
    children,
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

    def visit(self, node: Node, need: CandleCount) -> None:
        _HANDLERS.get(type(node), _Walk.all_of_each)(self, node, need)

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
        self.visit(node.value, _negative(node.index))
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

    def same_of_each(self, node: Node, need: CandleCount) -> None:
        for child in children(node):
            self.visit(child, need)

    def all_of_each(self, node: Node, need: CandleCount) -> None:
        del need
        self.same_of_each(node, None)


def _negative(index: Expression) -> CandleCount:
    """Return 3 for `-3`; None for an index that is not counted from the end."""
    if isinstance(index, Signed) and index.signs == ("-",) and isinstance(index.operand, Constant):
        value = index.operand.value
        return value if isinstance(value, int) and value > 0 else None
    return None


_HANDLERS: Final[dict[type, Callable[[_Walk, Any, CandleCount], None]]] = {
    Arithmetic: _Walk.same_of_each,
    Call: _Walk.call,
    Conditional: _Walk.conditional,
    Name: _Walk.name,
    Signed: _Walk.same_of_each,
    Slice: _Walk.slice,
    ChainLink: _Walk.same_of_each,
    Subscript: _Walk.subscript,
}
"""How each kind of node passes a need on; all others may look at everything of their operands."""
