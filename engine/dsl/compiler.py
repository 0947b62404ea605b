"""Compiles a syntax tree to closures: names resolved, types of constants checked, constant parts evaluated.

Every expression gets a plain form, or, if something inside may wait or suspend the script, a stepwise form
(`plain.py`, `stepwise.py`). Calls are resolved in `call_compiler.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from engine.dsl import operands, plain, stepwise
from engine.dsl.arithmetic import signed
from engine.dsl.call_compiler import CallCompiler, Facts
from engine.dsl.code import Code, Run, Step, all_needs
from engine.dsl.fast_paths import (
    Careful,
    binary,
    careful_arithmetic,
    careful_comparison,
    with_constant_left,
    with_constant_right,
)
from engine.dsl.frame import SCALARS, Frame
from engine.dsl.limits import Limits
from engine.dsl.nodes import (
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
    Parameter,
    Power,
    Reference,
    Script,
    Signed,
    Slice,
    Subscript,
)
from engine.dsl.registry import OperatorRegistry
from engine.dsl.scope import PLACEHOLDER, Scope
from engine.dsl.source import error_at
from engine.errors import DslError, OctoflowError

_FOLDING_WORK: Final = 20_000
"""Items that evaluating constants ahead of time may touch; what is over stays for the run."""

_MAX_FOLDED_TEXT: Final = 1_000
_MAX_NESTED_CHAIN: Final = 16
"""Longer chains of arithmetic are loops instead of nested closures, to stay within Python's recursion limit."""

_SCRIPT_NODE: Final = 0


class Compiler:
    """Compiles one script.

    Attributes:
        scope: its names.
        facts: what else is known of it afterwards.
    """

    def __init__(self, text: str, registry: OperatorRegistry, limits: Limits) -> None:
        self.text = text
        self.registry = registry
        self.limits = limits
        self.scope = Scope()
        self.facts = Facts()
        self._calls = CallCompiler(self)
        self._folding = Frame([], text, replace(limits, work=min(limits.work, _FOLDING_WORK)), None)
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
        if not assignments:
            return result
        codes = [*(code for _, code in assignments), result]
        if all(code.run for code in codes):
            runs = [(slot, cast("Run", code.run)) for slot, code in assignments]
            return Code(result.at, run=plain.script(runs, cast("Run", result.run)))
        return Code(result.at, step=stepwise.script(_SCRIPT_NODE, assignments, result))

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
        self._depth += 1
        if self._depth > self.limits.nesting:
            message = f"expressions are nested more than {self.limits.nesting} deep"
            raise self.error(node.at, message, code="limit_exceeded")
        code = _COMPILE[type(node)](self, node)
        self._depth -= 1
        return code

    def fold(self, code: Code) -> Code:
        """Evaluate an expression now if its value is constant and small."""
        if code.run is None or not code.is_static or code.is_constant or self._folding.work < 0:
            return code
        try:
            value = code.run(self._folding)
        except OctoflowError:
            return code  # it may stand where it is never evaluated, so its error belongs to the run
        if type(value) not in SCALARS and not (isinstance(value, str) and len(value) <= _MAX_FOLDED_TEXT):
            return code
        return replace(code, run=plain.constant(value), constant=value)

    def node(
        self,
        at: int,
        operands_: Sequence[Code],
        make_plain: Callable[[list[Run]], Run],
        make_step: Callable[[int], Step],
        *,
        boolean: bool = False,
    ) -> Code:
        """Return the code of a node in the form that its operands allow."""
        node_id = self.new_node()
        runs = [code.run for code in operands_ if code.run is not None]
        if len(runs) < len(operands_):
            return Code(at, step=make_step(node_id), boolean=boolean)
        return self.fold(Code(at, run=make_plain(runs), needs=all_needs(list(operands_)), boolean=boolean))

    def _strict(
        self, at: int, nodes: Sequence[Expression], doing: str, make: Callable[[list[Any]], Any]
    ) -> Code:
        at = self.offset(at)
        codes = [self.expression(node) for node in nodes]
        combine = operands.combined(at, doing, make)
        return self.node(
            at,
            codes,
            lambda runs: plain.strict(runs, combine),
            lambda node_id: stepwise.strict(node_id, codes, combine),
        )

    # Literals and names.

    def constant(self, node: Constant) -> Code:
        return Code(
            self.offset(node.at), run=plain.constant(node.value), constant=node.value, needs=frozenset(),
            boolean=isinstance(node.value, bool),
        )  # fmt: skip

    def list_literal(self, node: ListLiteral) -> Code:
        return self._strict(node.at, node.items, "list", list)

    def dict_literal(self, node: DictLiteral) -> Code:
        nodes: list[Expression] = []
        for entry in node.entries:
            nodes += [entry.value] if entry.key is None else [entry.key, entry.value]
        spread = [entry.key is None for entry in node.entries]

        def make(values: list[Any]) -> dict[Any, Any]:
            left = iter(values)
            return operands.dict_of(
                [(is_spread, None if is_spread else next(left), next(left)) for is_spread in spread]
            )

        return self._strict(node.at, nodes, "dict", make)

    def name(self, node: Name) -> Code:
        slot = self.scope.find(node.name)
        if slot is not None:
            return Code(self.offset(node.at), run=plain.slot(slot), needs=frozenset({slot}))
        if node.name == PLACEHOLDER:
            raise self.error(
                node.at, f"{PLACEHOLDER} has a value only in the condition of value_if()", code="unsupported"
            )
        return self._calls.call(Call(node.name, (), at=node.at))

    def call(self, node: Call) -> Code:
        return self._calls.call(node)

    def reference(self, node: Reference) -> Code:
        at = self.offset(node.at)
        slot = self.scope.reference(node.action, at)
        if not node.path:
            return Code(at, run=plain.slot(slot), needs=frozenset({slot}))

        def run(frame: Frame) -> Any:
            try:
                return operands.walk(node.action, frame.slots[slot], node.path)
            except DslError as error:
                raise frame.located(error, at, f"${node.action}") from None

        return Code(at, run=run, needs=frozenset({slot}))

    def parameter(self, node: Parameter) -> Code:
        slot = self.scope.parameter(node.name, self.offset(node.at))
        return Code(self.offset(node.at), run=plain.slot(slot), needs=frozenset({slot}))

    # Operators.

    def signed(self, node: Signed) -> Code:
        sign = "".join(node.signs)
        return self._strict(
            node.at, [node.operand], f"`{sign}`", lambda values: signed(node.signs, values[0])
        )

    def power(self, node: Power) -> Code:
        careful = careful_arithmetic("**", self.offset(node.at))
        codes = [self.expression(operand) for operand in node.operands]

        def combine(frame: Frame, values: list[Any]) -> Any:
            result = values[-1]
            for base in reversed(values[:-1]):
                result = careful(frame, base, result)
            return result

        return self.node(
            self.offset(node.at),
            codes,
            lambda runs: plain.strict(runs, combine),
            lambda node_id: stepwise.strict(node_id, codes, combine),
        )

    def arithmetic(self, node: Arithmetic) -> Code:
        first = self.expression(node.first)
        rest = [
            (
                step.operator,
                careful_arithmetic(step.operator, self.offset(step.at)),
                self.expression(step.operand),
            )
            for step in node.rest
        ]
        codes = [first, *(code for _, _, code in rest)]
        if len(rest) > _MAX_NESTED_CHAIN or not all(code.run for code in codes):
            return self.node(
                first.at,
                codes,
                lambda runs: plain.fold(runs[0], list(zip((c for _, c, _ in rest), runs[1:], strict=True))),
                lambda node_id: stepwise.fold(node_id, first, [(careful, code) for _, careful, code in rest]),
            )
        code = first
        for sign, careful, operand in rest:
            code = self._binary(sign, code, operand, careful)
        return code

    def _binary(self, sign: str, left: Code, right: Code, careful: Careful, *, boolean: bool = False) -> Code:
        run = None
        if right.is_constant and not left.is_constant:
            run = with_constant_right(sign, cast("Run", left.run), right.constant, careful)
        elif left.is_constant and not right.is_constant:
            run = with_constant_left(sign, left.constant, cast("Run", right.run), careful)
        run = run or binary(sign, cast("Run", left.run), cast("Run", right.run), careful)
        return self.fold(Code(left.at, run=run, needs=all_needs([left, right]), boolean=boolean))

    def comparison(self, node: Comparison) -> Code:
        first = self.expression(node.first)
        rest = [
            (
                step.operator,
                careful_comparison(step.operator, self.offset(step.at)),
                self.expression(step.operand),
            )
            for step in node.rest
        ]
        codes = [first, *(code for _, _, code in rest)]
        if len(rest) == 1 and all(code.run for code in codes):
            ((sign, careful, right),) = rest
            return self._binary(sign, first, right, careful, boolean=True)
        return self.node(
            first.at,
            codes,
            lambda runs: plain.comparison(runs[0], list(zip((c for _, c, _ in rest), runs[1:], strict=True))),
            lambda node_id: stepwise.comparison(
                node_id, first, [(careful, code) for _, careful, code in rest]
            ),
            boolean=True,
        )

    def negation(self, node: Not) -> Code:
        operand = self.expression(node.operand)
        at = self.offset(node.at)
        if node.times % 2 == 0:
            return self._truth(at, operand)
        return self.node(
            at,
            [operand],
            lambda runs: plain.negation(runs[0]),
            lambda _: stepwise.negation(operand),
            boolean=True,
        )

    def _truth(self, at: int, operand: Code) -> Code:
        if operand.boolean:
            return operand
        return self.node(
            at,
            [operand],
            lambda runs: plain.boolean(runs[0]),
            lambda _: stepwise.boolean(operand),
            boolean=True,
        )

    def logical(self, node: Logical) -> Code:
        decisive = node.operator == "or"
        at = self.offset(node.at)
        kept: list[Code] = []
        for code in [self.expression(operand) for operand in node.operands]:
            if not code.is_constant:
                kept.append(code)
            elif plain.is_true(code.constant) is decisive:
                kept.append(code)
                break
        if not kept:
            return self.constant(Constant(not decisive, at=node.at))
        if len(kept) == 1:
            return self._truth(at, kept[0])
        return self.node(
            at,
            kept,
            lambda runs: plain.logical(runs, decisive),
            lambda node_id: stepwise.logical(node_id, kept, decisive),
            boolean=True,
        )

    def conditional(self, node: Conditional) -> Code:
        test, then, otherwise = (self.expression(part) for part in (node.test, node.then, node.otherwise))
        if test.is_constant:
            return then if plain.is_true(test.constant) else otherwise
        code = self.node(
            self.offset(node.at),
            [test, then, otherwise],
            lambda runs: plain.conditional(*runs),
            lambda node_id: stepwise.conditional(node_id, test, then, otherwise),
            boolean=then.boolean and otherwise.boolean,
        )
        return replace(code, alternatives=(then, otherwise))

    # Items.

    def subscript(self, node: Subscript) -> Code:
        return self._strict(
            node.at,
            [node.value, node.index],
            "index",
            lambda values: operands.subscript(values[0], values[1]),
        )

    def slice(self, node: Slice) -> Code:
        none = Constant(None, at=node.at)
        bounds = [bound or none for bound in (node.start, node.stop, node.step)]
        return self._strict(
            node.at, [node.value, *bounds], "slice", lambda values: operands.sliced(values[0], values[1:])
        )


_COMPILE: Final[dict[type, Callable[[Compiler, Any], Code]]] = {
    Arithmetic: Compiler.arithmetic,
    Call: Compiler.call,
    Comparison: Compiler.comparison,
    Conditional: Compiler.conditional,
    Constant: Compiler.constant,
    DictLiteral: Compiler.dict_literal,
    ListLiteral: Compiler.list_literal,
    Logical: Compiler.logical,
    Name: Compiler.name,
    Not: Compiler.negation,
    Parameter: Compiler.parameter,
    Power: Compiler.power,
    Reference: Compiler.reference,
    Signed: Compiler.signed,
    Slice: Compiler.slice,
    Subscript: Compiler.subscript,
}
