"""A second evaluator, as simple as can be: recursion over the tree, and nothing of the engine's own."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from engine.dsl.syntax.nodes import (
    Argument,
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
    Reference,
    Signed,
    Subscript,
)
from engine.dsl.syntax.parser import parse

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
}


class Failed(Exception):
    """The script failed."""


class LimitExceeded(Exception):
    """The script went over a limit, which nothing in it can catch."""


class ReferenceInterpreter:
    """Evaluates one script.

    Attributes:
        calls: what the recording operators of `Recorder` would record, without pauses.
    """

    def __init__(self, references: Mapping[str, Any]) -> None:
        self.calls: list[Any] = []
        self._references = references
        self._names: dict[str, Any] = {}

    def run(self, text: str) -> Any:
        """Return the value of a script, or raise `Failed` or `LimitExceeded`."""
        script = parse(text)
        for assignment in script.assignments:
            self._names[assignment.name] = self._value(assignment.value)
        return self._value(script.result)

    def _value(self, node: Expression) -> Any:
        match node:
            case Constant(value=value):
                return value
            case Name(name=name):
                return self._names[name]
            case Reference(action=action):
                return self._references[action]
            case ListLiteral(items=items):
                return [self._value(item) for item in items]
            case DictLiteral(entries=entries):
                return {self._value(entry.key): self._value(entry.value) for entry in entries if entry.key}
            case Subscript(value=value, index=index):
                return self._value(value)[self._value(index)]
            case Call(name=name, arguments=arguments):
                return self._call(name, arguments)
            case Arithmetic() | Comparison():
                return self._chain(node)
        return self._operation(node)

    def _operation(self, node: Expression) -> Any:
        match node:
            case Signed(operand=operand):
                return -self._value(operand)
            case Not(operand=operand):
                return not self._value(operand)
            case Logical(operator="and", operands=operands):
                return all(self._value(operand) for operand in operands)
            case Logical(operands=operands):
                return any(self._value(operand) for operand in operands)
            case Conditional(test=test, then=then, otherwise=otherwise):
                return self._value(then if self._value(test) else otherwise)
        raise AssertionError(f"the generated scripts have no {node}")

    def _chain(self, node: Arithmetic | Comparison) -> Any:
        left = self._value(node.first)
        for step in node.rest:
            right = self._value(step.operand)
            result = self._apply(step.operator, left, right)
            if isinstance(node, Comparison) and not result:
                return False
            left = right if isinstance(node, Comparison) else result
        return True if isinstance(node, Comparison) else left

    def _apply(self, sign: str, left: Any, right: Any) -> Any:
        try:
            result = _OPERATORS[sign](left, right)
        except (ArithmeticError, TypeError) as error:
            raise Failed from error
        if type(result) is int and result.bit_length() > 256:
            raise LimitExceeded
        return result

    def _call(self, name: str, arguments: tuple[Argument, ...]) -> Any:
        nodes = [argument.value for argument in arguments]
        match name:
            case "if_error":
                try:
                    return self._value(nodes[0])
                except Failed:
                    return self._value(nodes[1])
            case "value_if":
                value = self._value(nodes[0])
                outer = self._names.get("LOCAL_VALUE_PLACEHOLDER")
                self._names["LOCAL_VALUE_PLACEHOLDER"] = value
                holds = self._value(nodes[1])
                self._names["LOCAL_VALUE_PLACEHOLDER"] = outer
                return value if holds else False
        values = {
            argument.name or index: self._value(argument.value) for index, argument in enumerate(arguments)
        }
        if name == "max":
            return max(values.values())
        value = values.get("value", values.get(0))
        self.calls.append(value if name == "effect" else (name, value))
        return value
