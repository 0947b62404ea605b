"""What compiling a script finds out about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.dsl.compiling.candles_needed import KnownWindow, Look, candles_needed
from engine.dsl.registry import OperatorDefinition
from engine.dsl.running import UNKNOWN, Code
from engine.dsl.syntax import Call, Expression, Script

ValueOf = Callable[[Code], Any]
"""Gives the value of an expression, or `UNKNOWN`."""


@dataclass(frozen=True, slots=True)
class DataRequest:
    """One call that depends on market data.

    Attributes:
        node: the call, for error messages.
        origin: `id` of the node it stands for in the tree: itself, or a bare name.
        symbol, time_frame: the expressions given for them, if any.
    """

    definition: OperatorDefinition
    node: Call
    origin: int
    at: int
    symbol: Code | None
    time_frame: Code | None


@dataclass(frozen=True, slots=True)
class IndicatorCall:
    """One call of an operator that says how much it needs of the series it is given.

    Attributes:
        given: its arguments besides the series, by the parameter's name.
    """

    definition: OperatorDefinition
    given: Mapping[str, Code]

    def window(self, value_of: ValueOf) -> KnownWindow:
        """Return what it needs, as far as its arguments are known."""
        parameters = self.definition.parameters
        known = {parameter.name: parameter.default for parameter in parameters if not parameter.required}
        values = {name: value_of(code) for name, code in self.given.items()}
        for name in values:
            known.pop(name, None)
        known |= {name: value for name, value in values.items() if value is not UNKNOWN}
        assert self.definition.window is not None, "only calls with a window are noted"
        items: int | None
        try:
            items = max(int(self.definition.window(known)), 1)
        except (KeyError, TypeError, ValueError, ArithmeticError):
            items = None
        return KnownWindow(items, self.definition.returns)


@dataclass(slots=True)
class Facts:
    """What compiling a script finds out about it.

    Attributes:
        calls: the called operators, in order of appearance.
        requests: the calls that depend on market data.
        references: ids of the actions whose results are used.
        parameters: names of the `UNRESOLVED_PARAMETER`s.
        indicators: the calls with a window, by the `id` of their node.
        bounds: indexes and bounds of slices, by the `id` of their node.
        texts: see `candles_needed`.
        assignments: the locals' slots and values.
    """

    calls: list[OperatorDefinition] = field(default_factory=list)
    requests: list[DataRequest] = field(default_factory=list)
    references: set[str] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)
    indicators: dict[int, IndicatorCall] = field(default_factory=dict)
    bounds: dict[int, Code] = field(default_factory=dict)
    texts: dict[int, Expression] = field(default_factory=dict)
    assignments: tuple[tuple[int, Code], ...] = ()
    _tree: Script | None = None
    _looks: Mapping[int, Look] = field(default_factory=dict)

    def note_looks(self, tree: Script) -> None:
        """Find out what the script looks at, once if nothing of that depends on values to come."""
        codes = [*self.bounds.values()]
        codes += [code for indicator in self.indicators.values() for code in indicator.given.values()]
        if any(not code.is_constant and code.needs is not None for code in codes):
            self._tree = tree
        else:
            self._looks = self._walk(tree, lambda code: code.constant)

    def looks(self, value_of: ValueOf) -> Mapping[int, Look]:
        """Return how each call that reads candles is looked at, by the `id` of its node."""
        return self._looks if self._tree is None else self._walk(self._tree, value_of)

    def _walk(self, tree: Script, value_of: ValueOf) -> Mapping[int, Look]:
        return candles_needed(
            tree,
            {node: indicator.window(value_of) for node, indicator in self.indicators.items()},
            {node: value_of(code) for node, code in self.bounds.items()},
            self.texts,
        )
