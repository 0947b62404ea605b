"""Finds out how many of the newest candles a script looks at.

The syntax tree is walked from the result down, with the number of newest items that are needed of each
expression's value: one for `[-1]`, a period more inside an indicator. Where the number cannot be told, it is
the newest 200, with what an indicator on the way needs besides: what it gives is right for the newest items
whatever is done with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from engine.dsl.syntax import (
    Arithmetic,
    Call,
    ChainLink,
    Conditional,
    Expression,
    Name,
    Node,
    Script,
    Signed,
    Slice,
    Subscript,
    children,
)
from engine.types import NEWEST_CANDLES

_SINGLE_VALUES: Final = frozenset({"bool", "int", "float", "number", "decimal"})
"""Types of results that are made of the newest items alone, whatever is done with them."""


class CandleNeed(NamedTuple):
    """How many of the newest items are looked at.

    Attributes:
        least: how many the value is defined by; with fewer it may be another one.
        seen: how many are given: more than `least` where all that are given are looked at.
    """

    least: int
    seen: int

    def widened(self, by: int) -> CandleNeed:
        """Return the need of what has so many items before each of its values."""
        return CandleNeed(self.least + by, self.seen + by)

    def merged(self, other: CandleNeed) -> CandleNeed:
        """Return what serves both."""
        return CandleNeed(max(self.least, other.least), max(self.seen, other.seen))


ONE: Final = CandleNeed(1, 1)
UNKNOWN_NEED: Final = CandleNeed(1, NEWEST_CANDLES)


class Look(NamedTuple):
    """How a call or bare name is looked at.

    Attributes:
        need: how many of its newest items.
        reader: the call of the indicator that does, the outermost if there are several.
    """

    need: CandleNeed
    reader: Call | None = None


class KnownWindow(NamedTuple):
    """What a call of an indicator needs of the series that it is given.

    Attributes:
        items: how many, for its newest value; None when that is not known.
        returns: type of its result.
    """

    items: int | None
    returns: str


def candles_needed(
    script: Script,
    windows: Mapping[int, KnownWindow],
    bounds: Mapping[int, Any],
    texts: Mapping[int, Expression],
) -> dict[int, Look]:
    """Return what is looked at of every call and bare name, by the node's `id`.

    Args:
        script: the tree.
        windows: by the `id` of a call of an indicator, what it needs.
        bounds: by the `id` of an index or of the bound of a slice, its value, as far as it is known.
        texts: by the `id` of an argument that is a text of an expression, that expression.
    """
    walk = _Walk(windows, bounds, texts)
    walk.visit(script.result, UNKNOWN_NEED)
    for assignment in reversed(script.assignments):
        walk.visit(assignment.value, walk.local_needs.pop(assignment.name, UNKNOWN_NEED))
    return walk.looks


class _Walk:
    """One walk; `looks` and `local_needs` are what it finds."""

    def __init__(
        self,
        windows: Mapping[int, KnownWindow],
        bounds: Mapping[int, Any],
        texts: Mapping[int, Expression],
    ) -> None:
        self.looks: dict[int, Look] = {}
        self.local_needs: dict[str, CandleNeed] = {}
        self._windows = windows
        self._bounds = bounds
        self._texts = texts
        self._reader: Call | None = None

    def visit(self, node: Node, need: CandleNeed) -> None:
        _HANDLERS.get(type(node), _Walk.all_of_each)(self, node, need)

    def name(self, node: Name, need: CandleNeed) -> None:
        self.looks[id(node)] = Look(need, self._reader)
        known = self.local_needs.get(node.name)
        self.local_needs[node.name] = need if known is None else known.merged(need)

    def call(self, node: Call, need: CandleNeed) -> None:
        self.looks[id(node)] = Look(need, self._reader)
        outer, window = self._reader, self._windows.get(id(node))
        inner = UNKNOWN_NEED
        if window is not None:
            self._reader = outer or node
            if window.items is not None:
                inner = (ONE if window.returns in _SINGLE_VALUES else need).widened(window.items - 1)
        for argument in node.arguments:
            self.visit(argument.value, inner)
            text = self._texts.get(id(argument.value))
            if text is not None:
                self.visit(text, UNKNOWN_NEED)
        self._reader = outer

    def subscript(self, node: Subscript, need: CandleNeed) -> None:
        index = self._bounds.get(id(node.index))
        if not isinstance(index, str):  # the key of a dict of series chooses one of them
            need = _from_the_end(index)
        self.visit(node.value, need)
        self.visit(node.index, UNKNOWN_NEED)

    def slice(self, node: Slice, need: CandleNeed) -> None:
        self.visit(node.value, UNKNOWN_NEED if node.step else self._sliced(node, need))
        for bound in (node.start, node.stop, node.step):
            if bound is not None:
                self.visit(bound, UNKNOWN_NEED)

    def _sliced(self, node: Slice, need: CandleNeed) -> CandleNeed:
        if node.start is not None:
            return _from_the_end(self._bounds.get(id(node.start)))
        if node.stop is None:
            return need
        dropped = _counted_from_the_end(self._bounds.get(id(node.stop)))
        return UNKNOWN_NEED if dropped is None else need.widened(dropped)

    def conditional(self, node: Conditional, need: CandleNeed) -> None:
        self.visit(node.test, UNKNOWN_NEED)
        self.visit(node.then, need)
        self.visit(node.otherwise, need)

    def same_of_each(self, node: Node, need: CandleNeed) -> None:
        for child in children(node):
            self.visit(child, need)

    def all_of_each(self, node: Node, need: CandleNeed) -> None:
        del need
        self.same_of_each(node, UNKNOWN_NEED)


def _from_the_end(index: Any) -> CandleNeed:
    """Return what an item needs; one that is not counted from the end may be anywhere."""
    counted = _counted_from_the_end(index)
    return UNKNOWN_NEED if counted is None else CandleNeed(counted, counted)


def _counted_from_the_end(index: Any) -> int | None:
    """Return 3 for -3, and None for what is no negative number."""
    return -index if type(index) is int and index < 0 else None


_HANDLERS: Final[dict[type, Callable[[_Walk, Any, CandleNeed], None]]] = {
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
