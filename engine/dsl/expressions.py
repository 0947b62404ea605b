"""How each kind of node is compiled; calls are resolved in `call_compiler.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from engine.dsl import operands, plain, stepwise
from engine.dsl.arithmetic import signed
from engine.dsl.code import OUTSIDE, Code, Run, all_needs, constant_code
from engine.dsl.fast_paths import (
    Careful,
    binary,
    careful_arithmetic,
    careful_comparison,
    with_constant_left,
    with_constant_right,
)
from engine.dsl.frame import Frame
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
    Signed,
    Slice,
    Subscript,
)
from engine.dsl.scope import PLACEHOLDER

if TYPE_CHECKING:
    from engine.dsl.compiler import Compiler

_MAX_NESTED_CHAIN: Final = 16
"""Longer chains of arithmetic are loops, not nested closures, to stay within Python's recursion limit."""


def _strict(
    compiler: Compiler, at: int, nodes: Sequence[Expression], doing: str, make: Callable[[list[Any]], Any]
) -> Code:
    at = compiler.offset(at)
    codes = [compiler.expression(node) for node in nodes]
    combine = operands.combined(at, doing, make)
    return compiler.node(
        at,
        codes,
        lambda runs: plain.strict(runs, combine),
        lambda node_id: stepwise.strict(node_id, codes, combine),
    )


def _constant(compiler: Compiler, node: Constant) -> Code:
    return constant_code(compiler.offset(node.at), node.value)


def _list_literal(compiler: Compiler, node: ListLiteral) -> Code:
    return _strict(compiler, node.at, node.items, "list", list)


def _dict_literal(compiler: Compiler, node: DictLiteral) -> Code:
    nodes: list[Expression] = []
    for entry in node.entries:
        nodes += [entry.value] if entry.key is None else [entry.key, entry.value]
    spread = [entry.key is None for entry in node.entries]

    def make(values: list[Any]) -> dict[Any, Any]:
        left = iter(values)
        return operands.dict_of(
            [(is_spread, None if is_spread else next(left), next(left)) for is_spread in spread]
        )

    return _strict(compiler, node.at, nodes, "dict", make)


def _name(compiler: Compiler, node: Name) -> Code:
    slot = compiler.scope.find(node.name)
    if slot is not None:
        return Code(compiler.offset(node.at), run=plain.slot(slot), needs=frozenset({slot}))
    if node.name == PLACEHOLDER:
        raise compiler.error(
            node.at, f"{PLACEHOLDER} has a value only in the condition of value_if()", code="unsupported"
        )
    return compiler.call(Call(node.name, (), at=node.at), node)


def _call(compiler: Compiler, node: Call) -> Code:
    return compiler.call(node, node)


def _reference(compiler: Compiler, node: Reference) -> Code:
    compiler.facts.references.add(node.action)
    at = compiler.offset(node.at)
    return Code(at, run=operands.reference(node.action, node.path, at), needs=frozenset({OUTSIDE}))


def _parameter(compiler: Compiler, node: Parameter) -> Code:
    compiler.facts.parameters.add(node.name)
    at = compiler.offset(node.at)
    return Code(at, run=operands.parameter(node.name, at), needs=frozenset({OUTSIDE}))


def _signed(compiler: Compiler, node: Signed) -> Code:
    sign = "".join(node.signs)
    return _strict(
        compiler, node.at, [node.operand], f"`{sign}`", lambda values: signed(node.signs, values[0])
    )


def _power(compiler: Compiler, node: Power) -> Code:
    careful = careful_arithmetic("**", compiler.offset(node.at))
    codes = [compiler.expression(operand) for operand in node.operands]

    def combine(frame: Frame, values: list[Any]) -> Any:
        result = values[-1]
        for base in reversed(values[:-1]):
            result = careful(frame, base, result)
        return result

    return compiler.node(
        compiler.offset(node.at),
        codes,
        lambda runs: plain.strict(runs, combine),
        lambda node_id: stepwise.strict(node_id, codes, combine),
    )


def _arithmetic(compiler: Compiler, node: Arithmetic) -> Code:
    first = compiler.expression(node.first)
    rest = [
        (
            step.operator,
            careful_arithmetic(step.operator, compiler.offset(step.at)),
            compiler.expression(step.operand),
        )
        for step in node.rest
    ]
    codes = [first, *(code for _, _, code in rest)]
    if len(rest) > _MAX_NESTED_CHAIN or not all(code.run for code in codes):
        return compiler.node(
            first.at,
            codes,
            lambda runs: plain.fold(runs[0], list(zip((c for _, c, _ in rest), runs[1:], strict=True))),
            lambda node_id: stepwise.fold(node_id, first, [(careful, code) for _, careful, code in rest]),
        )
    code = first
    for sign, careful, operand in rest:
        code = _binary(compiler, sign, code, operand, careful)
    return code


def _binary(
    compiler: Compiler, sign: str, left: Code, right: Code, careful: Careful, *, boolean: bool = False
) -> Code:
    run = None
    if right.is_constant and not left.is_constant:
        run = with_constant_right(sign, cast("Run", left.run), right.constant, careful)
    elif left.is_constant and not right.is_constant:
        run = with_constant_left(sign, left.constant, cast("Run", right.run), careful)
    run = run or binary(sign, cast("Run", left.run), cast("Run", right.run), careful)
    return compiler.fold(Code(left.at, run=run, needs=all_needs([left, right]), boolean=boolean))


def _comparison(compiler: Compiler, node: Comparison) -> Code:
    first = compiler.expression(node.first)
    rest = [
        (
            step.operator,
            careful_comparison(step.operator, compiler.offset(step.at)),
            compiler.expression(step.operand),
        )
        for step in node.rest
    ]
    codes = [first, *(code for _, _, code in rest)]
    if len(rest) == 1 and all(code.run for code in codes):
        ((sign, careful, right),) = rest
        return _binary(compiler, sign, first, right, careful, boolean=True)
    return compiler.node(
        first.at,
        codes,
        lambda runs: plain.comparison(runs[0], list(zip((c for _, c, _ in rest), runs[1:], strict=True))),
        lambda node_id: stepwise.comparison(node_id, first, [(careful, code) for _, careful, code in rest]),
        boolean=True,
    )


def _negation(compiler: Compiler, node: Not) -> Code:
    operand = compiler.expression(node.operand)
    at = compiler.offset(node.at)
    if node.times % 2 == 0:
        return _truth(compiler, at, operand)
    return compiler.node(
        at,
        [operand],
        lambda runs: plain.negation(runs[0]),
        lambda _: stepwise.negation(operand),
        boolean=True,
    )


def _truth(compiler: Compiler, at: int, operand: Code) -> Code:
    if operand.boolean:
        return operand
    return compiler.node(
        at,
        [operand],
        lambda runs: plain.boolean(runs[0]),
        lambda _: stepwise.boolean(operand),
        boolean=True,
    )


def _logical(compiler: Compiler, node: Logical) -> Code:
    decisive = node.operator == "or"
    at = compiler.offset(node.at)
    kept: list[Code] = []
    for code in [compiler.expression(operand) for operand in node.operands]:
        if not code.is_constant:
            kept.append(code)
        elif plain.is_true(code.constant) is decisive:
            kept.append(code)
            break
    if not kept:
        return constant_code(at, not decisive)
    if len(kept) == 1:
        return _truth(compiler, at, kept[0])
    return compiler.node(
        at,
        kept,
        lambda runs: plain.logical(runs, decisive),
        lambda node_id: stepwise.logical(node_id, kept, decisive),
        boolean=True,
    )


def _conditional(compiler: Compiler, node: Conditional) -> Code:
    test, then, otherwise = (compiler.expression(part) for part in (node.test, node.then, node.otherwise))
    if test.is_constant:
        return then if plain.is_true(test.constant) else otherwise
    code = compiler.node(
        compiler.offset(node.at),
        [test, then, otherwise],
        lambda runs: plain.conditional(*runs),
        lambda node_id: stepwise.conditional(node_id, test, then, otherwise),
        boolean=then.boolean and otherwise.boolean,
    )
    return replace(code, alternatives=(then, otherwise))


def _subscript(compiler: Compiler, node: Subscript) -> Code:
    at = compiler.offset(node.at)
    codes = [compiler.expression(node.value), compiler.expression(node.index)]
    combine = operands.combined(at, "index", lambda values: operands.subscript(*values))
    index = codes[1].constant
    return compiler.node(
        at,
        codes,
        lambda runs: (
            operands.item_at(runs[0], index, combine) if type(index) is int else plain.strict(runs, combine)
        ),
        lambda node_id: stepwise.strict(node_id, codes, combine),
    )


def _slice(compiler: Compiler, node: Slice) -> Code:
    none = Constant(None, at=node.at)
    bounds = [bound or none for bound in (node.start, node.stop, node.step)]
    return _strict(
        compiler,
        node.at,
        [node.value, *bounds],
        "slice",
        lambda values: operands.sliced(values[0], values[1:]),
    )


COMPILE: Final[dict[type, Callable[[Compiler, Any], Code]]] = {
    Arithmetic: _arithmetic,
    Call: _call,
    Comparison: _comparison,
    Conditional: _conditional,
    Constant: _constant,
    DictLiteral: _dict_literal,
    ListLiteral: _list_literal,
    Logical: _logical,
    Name: _name,
    Not: _negation,
    Parameter: _parameter,
    Power: _power,
    Reference: _reference,
    Signed: _signed,
    Slice: _slice,
    Subscript: _subscript,
}
