"""Closures for arithmetic and comparisons: int and float at once, everything else by `arithmetic.py`.

Most scripts compare a number with a constant or add two of them. Such a node costs one Python call here:
the type is tested, the operation written out, and only what is not an ordinary int or float takes the
careful way. Operands that are constants are part of the closure.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from engine.dsl.arithmetic import ARITHMETIC, COMPARISONS, Apply
from engine.dsl.code import Run
from engine.dsl.frame import SCALARS, Frame

_HIGH: Final = 2**255
_LOW: Final = -_HIGH
"""Integers between these are inside every limit on integers; others are checked the careful way."""

_NEAR: Final = 2**30 - 1
_NEAR_LOW: Final = -_NEAR
"""CPython compares integers of one digit, which most are, twice as fast."""

_PLAIN: Final = frozenset({int, float})

Careful = Callable[[Frame, Any, Any], Any]


def careful_arithmetic(sign: str, at: int) -> Careful:
    """Return the general form of an arithmetic operator, which checks limits and places errors."""
    apply: Apply = ARITHMETIC[sign]

    def careful(frame: Frame, left: Any, right: Any) -> Any:
        try:
            result = apply(left, right, frame.limits)
            return result if type(result) in SCALARS else frame.charge_deep(result)
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


def with_constant_right(sign: str, left: Run, constant: Any, careful: Careful) -> Run | None:
    """Return the closure of `left sign constant`, or None where there is no faster form."""
    if type(constant) is float and sign in _FLOAT_GIVING:
        return _float_right(_OPERATIONS[sign], left, constant, careful)
    make = _CONSTANT_RIGHT.get(sign)
    return make(left, constant, careful) if make and type(constant) in _PLAIN else None


_FLOAT_GIVING: Final = frozenset("+-*")
"""Operators whose result is a float, and so needs no check, when one operand is one."""


def _float_right(operation: Callable[[Any, Any], Any], left: Run, constant: float, careful: Careful) -> Run:
    def run(frame: Frame) -> Any:
        a = left(frame)
        if type(a) is float or type(a) is int:
            return operation(a, constant)
        return careful(frame, a, constant)

    return run


def with_constant_left(sign: str, constant: Any, right: Run, careful: Careful) -> Run | None:
    """Return the closure of `constant sign right`, or None where there is no faster form."""
    make = _CONSTANT_LEFT.get(sign)
    return make(constant, right, careful) if make and type(constant) in _PLAIN else None


def _add_right(left: Run, constant: Any, careful: Careful) -> Run:
    def run(frame: Frame) -> Any:
        a = left(frame)
        if type(a) is int:
            result = a + constant
            if (result < _NEAR and result > _NEAR_LOW) or _LOW < result < _HIGH:
                return result
        elif type(a) is float:
            return a + constant
        return careful(frame, a, constant)

    return run


def _subtract_right(left: Run, constant: Any, careful: Careful) -> Run:
    def run(frame: Frame) -> Any:
        a = left(frame)
        if type(a) is int:
            result = a - constant
            if (result < _NEAR and result > _NEAR_LOW) or _LOW < result < _HIGH:
                return result
        elif type(a) is float:
            return a - constant
        return careful(frame, a, constant)

    return run


def _multiply_right(left: Run, constant: Any, careful: Careful) -> Run:
    def run(frame: Frame) -> Any:
        a = left(frame)
        if type(a) is int:
            result = a * constant
            if (result < _NEAR and result > _NEAR_LOW) or _LOW < result < _HIGH:
                return result
        elif type(a) is float:
            return a * constant
        return careful(frame, a, constant)

    return run


def _divide_right(left: Run, constant: Any, careful: Careful) -> Run:
    if not constant:
        return lambda frame: careful(frame, left(frame), constant)

    def run(frame: Frame) -> Any:
        a = left(frame)
        return a / constant if type(a) is float or type(a) is int else careful(frame, a, constant)

    return run


def _add_left(constant: Any, right: Run, careful: Careful) -> Run:
    def run(frame: Frame) -> Any:
        b = right(frame)
        if type(b) is int:
            result = constant + b
            if (result < _NEAR and result > _NEAR_LOW) or _LOW < result < _HIGH:
                return result
        elif type(b) is float:
            return constant + b
        return careful(frame, constant, b)

    return run


def _subtract_left(constant: Any, right: Run, careful: Careful) -> Run:
    def run(frame: Frame) -> Any:
        b = right(frame)
        if type(b) is int:
            result = constant - b
            if (result < _NEAR and result > _NEAR_LOW) or _LOW < result < _HIGH:
                return result
        elif type(b) is float:
            return constant - b
        return careful(frame, constant, b)

    return run


def _multiply_left(constant: Any, right: Run, careful: Careful) -> Run:
    def run(frame: Frame) -> Any:
        b = right(frame)
        if type(b) is int:
            result = constant * b
            if (result < _NEAR and result > _NEAR_LOW) or _LOW < result < _HIGH:
                return result
        elif type(b) is float:
            return constant * b
        return careful(frame, constant, b)

    return run


def _less_right(left: Run, constant: Any, careful: Careful) -> Run:
    def run(frame: Frame) -> Any:
        a = left(frame)
        return a < constant if type(a) is float or type(a) is int else careful(frame, a, constant)

    return run


def _less_equal_right(left: Run, constant: Any, careful: Careful) -> Run:
    def run(frame: Frame) -> Any:
        a = left(frame)
        return a <= constant if type(a) is float or type(a) is int else careful(frame, a, constant)

    return run


def _greater_right(left: Run, constant: Any, careful: Careful) -> Run:
    def run(frame: Frame) -> Any:
        a = left(frame)
        return a > constant if type(a) is float or type(a) is int else careful(frame, a, constant)

    return run


def _greater_equal_right(left: Run, constant: Any, careful: Careful) -> Run:
    def run(frame: Frame) -> Any:
        a = left(frame)
        return a >= constant if type(a) is float or type(a) is int else careful(frame, a, constant)

    return run


_CONSTANT_RIGHT: Final[dict[str, Callable[[Run, Any, Careful], Run]]] = {
    "+": _add_right,
    "-": _subtract_right,
    "*": _multiply_right,
    "/": _divide_right,
    "<": _less_right,
    "<=": _less_equal_right,
    ">": _greater_right,
    ">=": _greater_equal_right,
}
_CONSTANT_LEFT: Final[dict[str, Callable[[Any, Run, Careful], Run]]] = {
    "+": _add_left,
    "-": _subtract_left,
    "*": _multiply_left,
}
