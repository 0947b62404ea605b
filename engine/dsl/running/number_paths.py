"""Closures for arithmetic and comparisons: int and float at once, everything else by `arithmetic.py`.

They are for operands that have to be evaluated first, such as calls; see `formulas.py` for the others.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from engine.dsl.running.arithmetic import ARITHMETIC, COMPARISONS, Apply
from engine.dsl.running.frame import SCALARS, Frame, Run

_HIGH: Final = 2**255
_LOW: Final = -_HIGH
"""Integers between these are inside every limit on integers; others are checked the careful way."""

_PLAIN: Final = frozenset({int, float})

Careful = Callable[[Frame, Any, Any], Any]


def careful_arithmetic(sign: str, at: int) -> Careful:
    """Return the general form of an arithmetic operator, which checks limits and places errors."""
    apply: Apply = ARITHMETIC[sign]

    def careful(frame: Frame, left: Any, right: Any) -> Any:
        try:
            result = apply(left, right, frame.limits)
            if type(result) not in SCALARS:
                frame.charge(result)
            return result
        except Exception as error:
            raise frame.located(error, at, f"`{sign}`") from None

    return careful


def careful_comparison(sign: str, at: int) -> Careful:
    """Return the general form of a comparison."""
    apply: Apply = COMPARISONS[sign]

    def careful(frame: Frame, left: Any, right: Any) -> Any:
        try:
            frame.charge(left)
            frame.charge(right)
            return apply(left, right, frame.limits)
        except Exception as error:
            raise frame.located(error, at, f"`{sign}`") from None

    return careful


_OPERATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def binary(sign: str, left: Run, right: Run, careful: Careful) -> Run:
    """Return the closure of an operator with two operands that are computed."""
    operation = _OPERATIONS.get(sign)
    if operation is None:
        return lambda frame: careful(frame, left(frame), right(frame))

    def run(frame: Frame) -> Any:
        a = left(frame)
        b = right(frame)
        if type(a) in _PLAIN and type(b) in _PLAIN:
            try:
                result = operation(a, b)
            except ArithmeticError:
                return careful(frame, a, b)
            if type(result) is not int or _LOW < result < _HIGH:
                return result
        return careful(frame, a, b)

    return run


def with_constant_right(sign: str, left: Run, constant: Any, careful: Careful) -> Run:
    """Return the closure of `left sign constant`, quick for floats, which need no check of their size."""
    operation = _OPERATIONS.get(sign)
    if operation is None or type(constant) not in _PLAIN or not constant:
        return lambda frame: careful(frame, left(frame), constant)

    def run(frame: Frame) -> Any:
        a = left(frame)
        return operation(a, constant) if type(a) is float else careful(frame, a, constant)

    return run
