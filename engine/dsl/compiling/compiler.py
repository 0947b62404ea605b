"""Compiles a syntax tree to closures: names resolved, types of constants checked, constant parts evaluated.

Every expression gets a plain form, or, if something inside may wait or suspend the script, a stepwise form
(`at_once.py`, `resumable.py`). How each kind of node is compiled is in `expressions.py` and `calls.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias, cast

from engine.dsl.compiling.facts import Facts
from engine.dsl.compiling.scope import PLACEHOLDER, Scope
from engine.dsl.limits import Limits
from engine.dsl.registry import OperatorRegistry, ScriptContext
from engine.dsl.running import (
    SCALARS,
    Code,
    Frame,
    Run,
    Stepwise,
    all_needs,
    at_once,
    compiled,
    constant_code,
    resumable,
)
from engine.dsl.source import error_at
from engine.dsl.syntax import Expression, Script
from engine.errors import DslError, OctoflowError

_FOLDING_WORK: Final = 20_000
"""Items that evaluating constants ahead of time may touch; what is over stays for the run."""

_MAX_FOLDED_TEXT: Final = 1_000
_SCRIPT_NODE: Final = 0


class Compiler:
    """Compiles one script.

    Args:
        text: the script.
        registry: the operators that it may call.
        limits: its bounds.
        table: how each kind of node is compiled.

    Attributes:
        scope: its names.
        facts: what else is known of it afterwards.
    """

    def __init__(self, text: str, registry: OperatorRegistry, limits: Limits, table: Table) -> None:
        self.text = text
        self.registry = registry
        self.limits = limits
        self.scope = Scope()
        self.facts = Facts()
        self._table = table
        self._folding = _folding_frame(text, limits)
        self._depth = 0
        self._nodes = _SCRIPT_NODE
        self._text_at: int | None = None

    # Scripts.

    def script(self, script: Script) -> Code:
        """Compile a whole script.

        Raises:
            DslError: `unknown_operator`, `invalid_parameters`, `unsupported` or `limit_exceeded`, positioned.
        """
        assignments = []
        for assignment in script.assignments:
            value = self.expression(assignment.value)
            self._refuse_taken_name(assignment.name, assignment.at)
            assignments.append((self.scope.assign(assignment.name), value))
        self.facts.assignments = tuple(assignments)
        result = self.expression(script.result)
        if self.facts.requests:
            self.facts.note_looks(script)
        if not assignments:
            return result
        codes = [*(code for _, code in assignments), result]
        if all(code.run for code in codes):
            runs = [(slot, cast("Run", code.run)) for slot, code in assignments]
            return Code(result.at, run=at_once.script(runs, cast("Run", result.run)))
        return Code(result.at, step=resumable.script(_SCRIPT_NODE, assignments, result))

    def _refuse_taken_name(self, name: str, at: int) -> None:
        if name in self.registry or name == PLACEHOLDER:
            what = "the value of a condition" if name == PLACEHOLDER else "an operator"
            raise self.error(at, f"{name} names {what}, and cannot be a local", code="unsupported",
                             suggestion=f"Choose another name, such as `my_{name}`.")  # fmt: skip

    def embedded(self, result: Expression, at: int) -> Code:
        """Compile an expression that stands in a text of the script; its errors point at the text."""
        outer, self._text_at = self._text_at, at if self._text_at is None else self._text_at
        try:
            return self.expression(result)
        finally:
            self._text_at = outer

    # What all nodes need.

    def offset(self, at: int) -> int:
        """Return where in the script a node stands."""
        return at if self._text_at is None else self._text_at

    def error(self, at: int, message: str, *, code: str, suggestion: str | None = None) -> DslError:
        """Return an error that points at a node."""
        return error_at(self.text, self.offset(at), message, code=code, suggestion=suggestion)

    def new_node(self) -> int:
        """Return the id of a node; ids depend on the text only."""
        self._nodes += 1
        return self._nodes

    def expression(self, node: Expression) -> Code:
        """Compile one expression."""
        return self.finished(self.operand(node))

    def finished(self, code: Code) -> Code:
        """Give an expression that no larger formula takes in its fastest form."""
        formula = code.formula
        if formula is None or code.run is None or code.is_constant or not formula.computes:
            return code
        return replace(code, run=compiled(formula, code.run), formula=None)

    def operand(self, node: Expression) -> Code:
        """Compile one expression that may become part of a formula."""
        self._depth += 1
        if self._depth > self.limits.nesting:
            message = f"expressions are nested more than {self.limits.nesting} deep"
            raise self.error(node.at, message, code="limit_exceeded")
        code = self._table[type(node)](self, node)
        self._depth -= 1
        return code

    def fold(self, code: Code) -> Code:
        """Evaluate an expression now if its value is constant and small."""
        if code.run is None or not code.is_static or code.is_constant or self._folding.is_spent:
            return code
        try:
            value = code.run(self._folding)
        except OctoflowError:
            return code  # it may stand where it is never evaluated, so its error belongs to the run
        if type(value) not in SCALARS and not (isinstance(value, str) and len(value) <= _MAX_FOLDED_TEXT):
            return code
        return constant_code(code.at, value)

    def node(
        self,
        at: int,
        operands_: Sequence[Code],
        make_plain: Callable[[list[Run]], Run],
        make_step: Callable[[int], Stepwise],
        *,
        boolean: bool = False,
    ) -> Code:
        """Return the code of a node in the form that its operands allow."""
        node_id = self.new_node()
        runs = [code.run for code in operands_ if code.run is not None]
        if len(runs) < len(operands_):
            return Code(at, step=make_step(node_id), boolean=boolean)
        return self.fold(Code(at, run=make_plain(runs), needs=all_needs(list(operands_)), boolean=boolean))


Table: TypeAlias = Mapping[type[Expression], Callable[[Compiler, Any], Code]]
"""How each kind of node is compiled."""


def _folding_frame(text: str, limits: Limits) -> Frame:
    less = replace(limits, work=min(limits.work, _FOLDING_WORK))
    frame = Frame(ScriptContext(now=0, limits=less), text, [])
    frame.ahead_of_time = True
    return frame
