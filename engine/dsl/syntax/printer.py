"""Writes a syntax tree as the text of a script; parsing that text gives the same tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from engine.dsl.syntax.nodes import (
    Argument,
    Arithmetic,
    Call,
    Comparison,
    Conditional,
    Constant,
    DictEntry,
    DictLiteral,
    Expression,
    ListLiteral,
    Logical,
    Name,
    Not,
    Power,
    Reference,
    Script,
    Signed,
    Slice,
    Subscript,
    Unresolved,
)

_CONDITIONAL, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _OPERAND = range(10)
"""How tightly each kind of expression binds, loosest first, as in grammar.lark."""


def unparse(node: Script | Expression) -> str:
    """Return the text of a script or of one expression."""
    if isinstance(node, Script):
        lines = [f"{assignment.name} = {unparse(assignment.value)}" for assignment in node.assignments]
        return "\n".join([*lines, unparse(node.result)])
    return _PRINT[type(node)](node)


def _level(node: Expression) -> int:
    if isinstance(node, Logical):
        return _OR if node.operator == "or" else _AND
    if isinstance(node, Arithmetic):
        return _SUM if node.rest[0].operator in "+-" else _PRODUCT
    return _LEVELS.get(type(node), _OPERAND)


_LEVELS: Final[dict[type, int]] = {
    Conditional: _CONDITIONAL,
    Not: _NOT,
    Comparison: _COMPARE,
    Signed: _SIGN,
    Power: _POWER,
}


def _at_least(level: int, node: Expression) -> str:
    text = unparse(node)
    return text if _level(node) >= level else f"({text})"


def _constant(node: Constant) -> str:
    return repr(node.value)


def _list(node: ListLiteral) -> str:
    return f"[{', '.join(map(unparse, node.items))}]"


def _dict(node: DictLiteral) -> str:
    return f"{{{', '.join(map(_entry, node.entries))}}}"


def _entry(entry: DictEntry) -> str:
    return (
        f"**{unparse(entry.value)}" if entry.key is None else f"{unparse(entry.key)}: {unparse(entry.value)}"
    )


def _signed(node: Signed) -> str:
    return " ".join(node.signs) + _at_least(_POWER, node.operand)


def _not(node: Not) -> str:
    return "not " * node.times + _at_least(_COMPARE, node.operand)


def _power(node: Power) -> str:
    *bases, last = node.operands
    exponent = f"({unparse(last)})" if isinstance(last, Power) else _at_least(_SIGN, last)
    return " ** ".join([*(_at_least(_OPERAND, base) for base in bases), exponent])


def _chain(node: Arithmetic | Comparison) -> str:
    tighter = _level(node) + 1
    steps = (f" {step.operator} {_at_least(tighter, step.operand)}" for step in node.rest)
    return _at_least(tighter, node.first) + "".join(steps)


def _logical(node: Logical) -> str:
    return f" {node.operator} ".join(_at_least(_level(node) + 1, operand) for operand in node.operands)


def _conditional(node: Conditional) -> str:
    then, test = _at_least(_OR, node.then), _at_least(_OR, node.test)
    return f"{then} if {test} else {unparse(node.otherwise)}"


def _argument(argument: Argument) -> str:
    if argument.spread:
        return f"**{unparse(argument.value)}"
    return unparse(argument.value) if argument.name is None else f"{argument.name}={unparse(argument.value)}"


def _call(node: Call) -> str:
    return f"{node.name}({', '.join(map(_argument, node.arguments))})"


def _subscript(node: Subscript) -> str:
    return f"{_at_least(_OPERAND, node.value)}[{unparse(node.index)}]"


def _slice(node: Slice) -> str:
    start, stop, step = (
        "" if bound is None else unparse(bound) for bound in (node.start, node.stop, node.step)
    )
    return f"{_at_least(_OPERAND, node.value)}[{start}:{stop}{':' + step if step else ''}]"


def _reference(node: Reference) -> str:
    return f"${node.action}" + "".join(map(_path_step, node.path))


def _path_step(step: str | int) -> str:
    return f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{step!r}]"


_PRINT: Final[dict[type, Callable[[Any], str]]] = {
    Arithmetic: _chain,
    Call: _call,
    Comparison: _chain,
    Conditional: _conditional,
    Constant: _constant,
    DictLiteral: _dict,
    ListLiteral: _list,
    Logical: _logical,
    Name: lambda node: str(node.name),
    Not: _not,
    Unresolved: lambda _: "UNRESOLVED_PARAMETER",
    Power: _power,
    Reference: _reference,
    Signed: _signed,
    Slice: _slice,
    Subscript: _subscript,
}
