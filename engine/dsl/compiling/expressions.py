"""How each kind of node is compiled; calls are resolved in `calls.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from engine.dsl.compiling.calls import CallCompiler
from engine.dsl.compiling.compiler import Compiler, Table
from engine.dsl.compiling.scope import PLACEHOLDER
from engine.dsl.running import (
    OUTSIDE,
    Careful,
    Code,
    Formula,
    Frame,
    Run,
    Stepwise,
    all_needs,
    at_once,
    binary,
    careful_arithmetic,
    careful_comparison,
    constant_code,
    formulas,
    operands,
    resumable,
    signed,
    with_constant_right,
)
from engine.dsl.syntax import nodes

_MAX_NESTED_CHAIN: Final = 16
"""Longer chains of arithmetic are loops, not nested closures, to stay within Python's recursion limit."""


def _strict(
    compiler: Compiler, at: int, codes: Sequence[Code], doing: str, make: Callable[[list[Any]], Any]
) -> Code:
    at = compiler.offset(at)
    combine = operands.combined(at, doing, make)
    return compiler.node(
        at,
        codes,
        lambda runs: at_once.strict(runs, combine),
        lambda node_id: resumable.strict(node_id, codes, combine),
    )


def _with_formula(
    compiler: Compiler,
    codes: Sequence[Code],
    make: Callable[[Sequence[Code]], Code],
    formula: Formula | None,
) -> Code:
    """Compile a node whose operands may become one formula with it; if not, each is finished by itself."""
    if formula is None:
        return make([compiler.finished(code) for code in codes])
    code = make(codes)
    return code if code.is_constant else replace(code, formula=formula)


def _constant(compiler: Compiler, node: nodes.Constant) -> Code:
    return constant_code(compiler.offset(node.at), node.value)


def _list_literal(compiler: Compiler, node: nodes.ListLiteral) -> Code:
    return _strict(compiler, node.at, [compiler.expression(item) for item in node.items], "list", list)


def _dict_literal(compiler: Compiler, node: nodes.DictLiteral) -> Code:
    parts: list[nodes.Expression] = []
    for entry in node.entries:
        parts += [entry.value] if entry.key is None else [entry.key, entry.value]
    spread = [entry.key is None for entry in node.entries]

    def make(values: list[Any]) -> dict[Any, Any]:
        left = iter(values)
        return operands.dict_of(
            [(is_spread, None if is_spread else next(left), next(left)) for is_spread in spread]
        )

    return _strict(compiler, node.at, [compiler.expression(part) for part in parts], "dict", make)


def _name(compiler: Compiler, node: nodes.Name) -> Code:
    slot = compiler.scope.find(node.name)
    if slot is not None:
        return Code(
            compiler.offset(node.at),
            run=at_once.slot(slot),
            needs=frozenset({slot}),
            formula=formulas.variable(("local", slot), lambda frame: frame.slots[slot]),
        )
    if node.name == PLACEHOLDER:
        raise compiler.error(
            node.at, f"{PLACEHOLDER} has a value only in the condition of value_if()", code="unsupported"
        )
    return CallCompiler(compiler).call(nodes.Call(node.name, (), at=node.at), node)


def _call(compiler: Compiler, node: nodes.Call) -> Code:
    return CallCompiler(compiler).call(node, node)


def _reference(compiler: Compiler, node: nodes.Reference) -> Code:
    action, at = node.action, compiler.offset(node.at)
    compiler.facts.references.add(action)

    def load(frame: Frame) -> Any:
        return frame.context.references[action]

    return Code(
        at,
        run=operands.reference(node.action, node.path, at),
        needs=frozenset({OUTSIDE}),
        formula=None if node.path else formulas.variable(("action", action), load),
    )


def _parameter(compiler: Compiler, node: nodes.Unresolved) -> Code:
    compiler.facts.parameters.add(node.name)
    at = compiler.offset(node.at)
    return Code(at, run=operands.parameter(node.name, at), needs=frozenset({OUTSIDE}))


def _signed(compiler: Compiler, node: nodes.Signed) -> Code:
    operand = compiler.operand(node.operand)
    doing = f"`{''.join(node.signs)}`"
    return _with_formula(
        compiler,
        [operand],
        lambda codes: _strict(compiler, node.at, codes, doing, lambda values: signed(node.signs, *values)),
        formulas.signed(node.signs, operand.formula),
    )


def _power(compiler: Compiler, node: nodes.Power) -> Code:
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
        lambda runs: at_once.strict(runs, combine),
        lambda node_id: resumable.strict(node_id, codes, combine),
    )


@dataclass(frozen=True, slots=True)
class _Link:
    """An operator between two operands of a chain, with its general form."""

    sign: str
    careful: Careful


def _arithmetic(compiler: Compiler, node: nodes.Arithmetic) -> Code:
    links = [
        _Link(step.operator, careful_arithmetic(step.operator, compiler.offset(step.at)))
        for step in node.rest
    ]
    operands_ = _operands(compiler, node)
    formula = formulas.arithmetic([code.formula for code in operands_], [link.sign for link in links])

    def make(codes: Sequence[Code]) -> Code:
        if len(links) > _MAX_NESTED_CHAIN or not all(code.run for code in codes):
            return _long_chain(compiler, codes, links, at_once.fold, resumable.fold)
        code = codes[0]
        for link, operand in zip(links, codes[1:], strict=True):
            code = _binary(compiler, link, code, operand)
        return code

    return _with_formula(compiler, operands_, make, formula)


def _comparison(compiler: Compiler, node: nodes.Comparison) -> Code:
    links = [
        _Link(step.operator, careful_comparison(step.operator, compiler.offset(step.at)))
        for step in node.rest
    ]
    operands_ = _operands(compiler, node)
    formula = formulas.comparison([code.formula for code in operands_], [link.sign for link in links])

    def make(codes: Sequence[Code]) -> Code:
        if len(links) > 1 or not all(code.run for code in codes):
            return _long_chain(compiler, codes, links, at_once.comparison, resumable.comparison, boolean=True)
        return _binary(compiler, links[0], *codes, boolean=True)

    return _with_formula(compiler, operands_, make, formula)


def _operands(compiler: Compiler, node: nodes.Arithmetic | nodes.Comparison) -> list[Code]:
    return [compiler.operand(node.first), *(compiler.operand(step.operand) for step in node.rest)]


def _long_chain(
    compiler: Compiler,
    codes: Sequence[Code],
    links: Sequence[_Link],
    make_plain: Callable[[Run, Sequence[tuple[Careful, Run]]], Run],
    make_step: Callable[[int, Code, Sequence[tuple[Careful, Code]]], Stepwise],
    *,
    boolean: bool = False,
) -> Code:
    forms = [link.careful for link in links]
    return compiler.node(
        codes[0].at,
        codes,
        lambda runs: make_plain(runs[0], list(zip(forms, runs[1:], strict=True))),
        lambda node_id: make_step(node_id, codes[0], list(zip(forms, codes[1:], strict=True))),
        boolean=boolean,
    )


def _binary(compiler: Compiler, link: _Link, left: Code, right: Code, *, boolean: bool = False) -> Code:
    first, second = cast("Run", left.run), cast("Run", right.run)
    if right.is_constant:
        run = with_constant_right(link.sign, first, right.constant, link.careful)
    else:
        run = binary(link.sign, first, second, link.careful)
    return compiler.fold(Code(left.at, run=run, needs=all_needs([left, right]), boolean=boolean))


def _condition(compiler: Compiler, node: nodes.Expression) -> Code:
    """Compile an expression that decides: its value is True or False, and NaN is an error of its place."""
    code = compiler.operand(node)
    if code.boolean:
        return code
    at = compiler.offset(node.at)
    formula = formulas.truth(code.formula)
    if formula is None:
        code = compiler.finished(code)
    return compiler.fold(
        Code(
            code.at,
            run=at_once.condition(code.run, at) if code.run else None,
            step=None if code.run else resumable.condition(code, at),
            needs=code.needs,
            boolean=True,
            formula=None if code.is_constant else formula,
        )
    )


def _negation(compiler: Compiler, node: nodes.Not) -> Code:
    operand = _condition(compiler, node.operand)
    at = compiler.offset(node.at)
    if node.times % 2 == 0:
        return _truth(compiler, at, operand)
    formula = formulas.negation(operand.formula)
    return _boolean(compiler, at, operand, at_once.negation, resumable.negation, formula)


def _truth(compiler: Compiler, at: int, operand: Code) -> Code:
    if operand.boolean:
        return operand
    formula = formulas.truth(operand.formula)
    return _boolean(compiler, at, operand, at_once.boolean, resumable.boolean, formula)


def _boolean(
    compiler: Compiler,
    at: int,
    operand: Code,
    make_plain: Callable[[Run], Run],
    make_step: Callable[[Code], Stepwise],
    formula: Formula | None,
) -> Code:
    """Compile a node that makes True or False of one operand."""

    def make(codes: Sequence[Code]) -> Code:
        return compiler.node(
            at, codes, lambda runs: make_plain(runs[0]), lambda _: make_step(codes[0]), boolean=True
        )

    return _with_formula(compiler, [operand], make, formula)


def _logical(compiler: Compiler, node: nodes.Logical) -> Code:
    decisive = node.operator == "or"
    at = compiler.offset(node.at)
    kept: list[Code] = []
    for code in [_condition(compiler, operand) for operand in node.operands]:
        if not code.is_constant:
            kept.append(code)
        elif at_once.is_true(code.constant) is decisive:
            kept.append(code)
            break
    if not kept:
        return constant_code(at, not decisive)
    if len(kept) == 1:
        return _truth(compiler, at, kept[0])
    return _with_formula(
        compiler,
        kept,
        lambda codes: compiler.node(
            at,
            codes,
            lambda runs: at_once.logical(runs, decisive, boolean=all(code.boolean for code in codes)),
            lambda node_id: resumable.logical(node_id, codes, decisive),
            boolean=True,
        ),
        formulas.logical(node.operator, [code.formula for code in kept]),
    )


def _conditional(compiler: Compiler, node: nodes.Conditional) -> Code:
    test = _condition(compiler, node.test)
    then, otherwise = compiler.operand(node.then), compiler.operand(node.otherwise)
    parts = [test, then, otherwise]
    if test.is_constant:
        return then if at_once.is_true(test.constant) else otherwise
    code = _with_formula(
        compiler,
        parts,
        lambda codes: compiler.node(
            compiler.offset(node.at),
            codes,
            lambda runs: at_once.conditional(*runs),
            lambda node_id: resumable.conditional(node_id, *codes),
            boolean=then.boolean and otherwise.boolean,
        ),
        formulas.conditional(test.formula, then.formula, otherwise.formula),
    )
    return replace(code, alternatives=(then, otherwise))


def _subscript(compiler: Compiler, node: nodes.Subscript) -> Code:
    value, index = compiler.operand(node.value), compiler.operand(node.index)
    compiler.facts.bounds[id(node.index)] = index
    return _with_formula(
        compiler,
        [value, index],
        lambda codes: _strict(compiler, node.at, codes, "index", lambda pair: operands.subscript(*pair)),
        formulas.item(value.formula, index.constant),
    )


def _slice(compiler: Compiler, node: nodes.Slice) -> Code:
    none = nodes.Constant(None, at=node.at)
    bounds = [bound or none for bound in (node.start, node.stop, node.step)]
    codes = [compiler.expression(part) for part in (node.value, *bounds)]
    compiler.facts.bounds |= {
        id(bound): code for bound, code in zip(bounds, codes[1:], strict=True) if bound is not none
    }
    return _strict(
        compiler,
        node.at,
        codes,
        "slice",
        lambda values: operands.sliced(values[0], values[1:]),
    )


COMPILE: Final[Table] = {
    nodes.Arithmetic: _arithmetic,
    nodes.Call: _call,
    nodes.Comparison: _comparison,
    nodes.Conditional: _conditional,
    nodes.Constant: _constant,
    nodes.DictLiteral: _dict_literal,
    nodes.ListLiteral: _list_literal,
    nodes.Logical: _logical,
    nodes.Name: _name,
    nodes.Not: _negation,
    nodes.Unresolved: _parameter,
    nodes.Power: _power,
    nodes.Reference: _reference,
    nodes.Signed: _signed,
    nodes.Slice: _slice,
    nodes.Subscript: _subscript,
}
