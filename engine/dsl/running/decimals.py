"""Decimals among the other numbers: one type for two operands, and operators that mean what they do."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from types import MappingProxyType
from typing import Any, Final

from engine.errors import DslError

_ROUNDED: Final = Context(prec=28, traps=[])
"""Results carry 28 digits, as Python's decimals do; what has no result is an error here, not a signal."""

_EXACT: Final = Context(prec=2_000, traps=[])
"""Wide enough for the quotient of the largest and the smallest decimal that the language has."""

_LARGEST: Final = sys.float_info.max


def aligned(left: Any, right: Any) -> tuple[Any, Any]:
    """Give two numbers of which one is a Decimal one type; everything else stays as it is.

    The shortest text of a float decides its value. What no decimal can be (NaN, infinite) makes both floats.
    """
    if type(left) is Decimal:
        if type(right) is float:
            return (left, Decimal(repr(right))) if _finite(left, right) else (_float(left), right)
        if type(right) is Decimal:
            return (left, right) if _finite(left, right) else (_float(left), _float(right))
        return (left if left.is_finite() else _float(left)), right
    if type(right) is Decimal:
        right, left = aligned(right, left)
    return left, right


def _finite(*values: float | Decimal) -> bool:
    return all(value.is_finite() if type(value) is Decimal else math.isfinite(value) for value in values)


def _float(value: Decimal) -> float:
    """Return the nearest float; a finite decimal stays below infinity."""
    nearest = float(value)
    return nearest if not value.is_finite() else max(-_LARGEST, min(_LARGEST, nearest))


def _floor_division(left: Decimal, right: Decimal) -> tuple[Decimal, Decimal]:
    """Return quotient and remainder, which has the sign of the divisor; Python's decimals cut instead."""
    if not right:
        raise ZeroDivisionError
    quotient = _EXACT.divide_int(left, right)
    remainder = _EXACT.subtract(left, _EXACT.multiply(quotient, right))
    if remainder and (remainder < 0) != (right < 0):
        quotient, remainder = _EXACT.subtract(quotient, Decimal(1)), _EXACT.add(remainder, right)
    return quotient or Decimal(0), remainder or Decimal(0)


def _divide(left: Decimal, right: Decimal) -> Decimal:
    if not right:
        raise ZeroDivisionError
    return _ROUNDED.divide(left, right)


def _power(base: Decimal, exponent: Decimal) -> Decimal:
    if not exponent:
        return Decimal(1)
    if not base and exponent < 0:
        raise ZeroDivisionError
    if base < 0 and exponent != exponent.to_integral_value():
        raise DslError("a negative number has no real root")
    return _ROUNDED.power(base, exponent)


_OPERATIONS: Final[Mapping[str, Callable[[Decimal, Decimal], Decimal]]] = MappingProxyType(
    {
        "+": _ROUNDED.add,
        "-": _ROUNDED.subtract,
        "*": _ROUNDED.multiply,
        "/": _divide,
        "//": lambda left, right: _ROUNDED.plus(_floor_division(left, right)[0]),
        "%": lambda left, right: _ROUNDED.plus(_floor_division(left, right)[1]),
        "**": _power,
    }
)


def decimal_operation(sign: str) -> Callable[[Any, Any], Decimal]:
    """Return an arithmetic operator for two finite numbers, one a Decimal and neither a float."""
    operation = _OPERATIONS[sign]
    return lambda left, right: operation(Decimal(left), Decimal(right))


def negated(value: Decimal) -> Decimal:
    """Return a decimal with the other sign and all its digits; Python's own sign rounds."""
    return value.copy_negate() if value else value.copy_abs()
