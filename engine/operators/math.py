"""Arithmetic and rounding.

A number that is none (NaN, which people see as null) makes what is made of it NaN, wherever it stands.
"""

from __future__ import annotations

import builtins
import math as _math
from collections.abc import Callable
from decimal import Context, Decimal
from functools import reduce
from typing import Annotated, Any, Final

from engine.dsl import (
    DEFAULT_LIMITS,
    Kind,
    Number,
    OperatorSet,
    Range,
    Series,
    add,
    check_number,
    is_nan,
    less,
    operator,
    power,
)
from engine.errors import DslError, invalid_parameters

SET: Final = OperatorSet("math", "Arithmetic and rounding.")

_ROUND: Final[Callable[[Any, int], Any]] = builtins.round

_NUMBERS: Final = frozenset({int, float, bool, Decimal})
_EXACT: Final = Context(prec=1_000)
"""Rounds every decimal of the language to any number of digits."""


def _numbers(value: Number | Series, more: tuple[Number, ...]) -> list[Any]:
    """Return the numbers that an operator was given as one list, or one by one."""
    if type(value) in _NUMBERS:
        return [value, *more]
    if more:
        raise invalid_parameters("give either one list, or numbers")
    numbers = value if isinstance(value, list) else value.tolist()  # type: ignore[union-attr]
    if not numbers:
        raise DslError("the list is empty")
    strange = next((number for number in numbers if type(number) not in _NUMBERS), None)
    if strange is not None or None in numbers:
        raise DslError(f"the list holds a {type(strange).__name__}, not only numbers")
    return list(numbers)


@operator(SET, kind=Kind.PURE, name="min", example="min(close[-1], 100)")
def min_(value: Number | Series, *values: Number) -> Number:
    """Return the smallest of some numbers; NaN if one of them is.

    Args:
        value: a number, or one list or series of numbers.
        values: further numbers.
    """
    return _extreme(_numbers(value, values), builtins.min, less)


@operator(SET, kind=Kind.PURE, name="max", example="max(1, 2, 3)")
def max_(value: Number | Series, *values: Number) -> Number:
    """Return the largest of some numbers; NaN if one of them is.

    Args:
        value: a number, or one list or series of numbers.
        values: further numbers.
    """
    return _extreme(_numbers(value, values), builtins.max, lambda one, best: less(best, one))


def _extreme(
    numbers: list[Any], of_one_kind: Callable[[list[Any]], Any], beats: Callable[[Any, Any], bool]
) -> Number:
    """Return the number that beats all others; Python compares floats with decimals in its own way."""
    missing = _nan_among(numbers)
    if missing is not None:
        return missing
    if not {float, Decimal} <= set(map(type, numbers)):
        extreme: Number = of_one_kind(numbers)
        return extreme
    found: Number = reduce(lambda best, one: one if beats(one, best) else best, numbers)
    return found


def _nan_among(numbers: list[Any]) -> float | None:
    return _math.nan if builtins.any(map(is_nan, numbers)) else None


@operator(SET, kind=Kind.PURE, name="sum", example="sum([1, 2, 3])")
def sum_(value: Number | Series, *values: Number) -> Number:
    """Return the sum of some numbers; NaN if one of them is.

    Args:
        value: a number, or one list or series of numbers.
        values: further numbers.
    """
    numbers = _numbers(value, values)
    missing = _nan_among(numbers)
    if missing is not None:
        return missing
    if not builtins.any(isinstance(number, Decimal) for number in numbers):
        plain: Number = check_number(builtins.sum(numbers), DEFAULT_LIMITS)
        return plain
    total: Number = 0
    for number in numbers:
        total = add(total, number, DEFAULT_LIMITS)
    return total


@operator(SET, kind=Kind.PURE, example="mean(close[-3:])")
def mean(value: Number | Series, *values: Number) -> Number:
    """Return the arithmetic mean of some numbers; NaN if one of them is.

    Args:
        value: a number, or one list or series of numbers.
        values: further numbers.
    """
    numbers = _numbers(value, values)
    return sum_(numbers) / len(numbers)


@operator(SET, kind=Kind.PURE, name="abs", example="abs(-2)")
def abs_(value: Any) -> Any:
    """Return a number, or each of a series, without its sign.

    Args:
        value: a number or a series.
    """
    # Python's abs() rounds a decimal.
    return value.copy_abs() if isinstance(value, Decimal) else builtins.abs(value)


@operator(SET, kind=Kind.PURE, name="round", example="round(close[-1], 2)")
def round_(value: Number, digits: Annotated[Number | None, Range(ge=-100, le=100)] = None) -> Number:
    """Return a number rounded to some digits; a half goes to the even neighbour.

    Args:
        value: the number.
        digits: digits after the decimal point; negative ones stand before it. Left out: an integer.
    """
    if digits is None:
        return builtins.round(bounded(value))
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-int(digits)), context=_EXACT) if value.is_finite() else value
    rounded: Number = _ROUND(value, int(digits))
    return rounded


@operator(SET, kind=Kind.PURE, example="floor(2.7)")
def floor(value: Number) -> int:
    """Return the largest integer that is not above a number.

    Args:
        value: the number.
    """
    return _math.floor(bounded(value))


@operator(SET, kind=Kind.PURE, example="ceil(2.1)")
def ceil(value: Number) -> int:
    """Return the smallest integer that is not below a number.

    Args:
        value: the number.
    """
    return _math.ceil(bounded(value))


def bounded(value: Number) -> Number:
    """Return a number whose integer part is within the limit of integers.

    Raises:
        DslError: it is NaN, infinite or too large.
    """
    if is_nan(value):
        raise DslError("a number is needed, and the value is not a number (null)")
    bits = DEFAULT_LIMITS.integer_bits
    if builtins.abs(value) >= 2**bits:
        raise DslError(f"the result is too large; integers stay below 2**{bits}", code="limit_exceeded")
    return value


@operator(SET, kind=Kind.PURE, example="sqrt(2)")
def sqrt(value: Number) -> Number:
    """Return the square root of a number; a negative number has none.

    Args:
        value: the number.
    """
    if is_nan(value):
        return _math.nan
    if value < 0:
        raise DslError("a negative number has no square root")
    return value.sqrt() if isinstance(value, Decimal) else _math.sqrt(value)


@operator(SET, kind=Kind.PURE, example="sin(pi / 2)")
def sin(angle: Number) -> float:
    """Return the sine of an angle.

    Args:
        angle: in radians.
    """
    return _math.sin(angle)


@operator(SET, kind=Kind.PURE, example="cos(0)")
def cos(angle: Number) -> float:
    """Return the cosine of an angle.

    Args:
        angle: in radians.
    """
    return _math.cos(angle)


@operator(SET, kind=Kind.PURE, example="log(close[-1] / close[-2])")
def log(value: Number, base: Annotated[Number | None, Range(gt=0)] = None) -> float:
    """Return the logarithm of a number; numbers up to 0 have none.

    Args:
        value: the number.
        base: left out: e, which gives the natural logarithm.
    """
    return _math.log(value) if base is None else _math.log(value, base)


@operator(SET, kind=Kind.PURE, example="exp(1)")
def exp(exponent: Number) -> float:
    """Return e to the power of a number.

    Args:
        exponent: the number.
    """
    return _math.exp(exponent)


@operator(SET, kind=Kind.PURE, name="pow", example="pow(2, 10)")
def pow_(base: Number, exponent: Number) -> Number:
    """Return a number to the power of another, as `**` does.

    Args:
        base: the number.
        exponent: the power.
    """
    result: Number = power(base, exponent, DEFAULT_LIMITS)
    return result


@operator(SET, kind=Kind.PURE, example="clamp(rsi(close, 14)[-1] / 100, 0.2, 0.8)")
def clamp(value: Number, low: Number, high: Number) -> Number:
    """Return a number, or the bound that it is beyond; NaN if one of the three is.

    Args:
        value: the number.
        low: lower bound.
        high: upper bound, not below the lower one.
    """
    if is_nan(value) or is_nan(low) or is_nan(high):
        return _math.nan
    if low > high:
        raise invalid_parameters(f"low is {low}, above high, which is {high}")
    return builtins.min(builtins.max(value, low), high)


@operator(SET, kind=Kind.PURE, example="pi")
def pi() -> float:
    """Return the ratio of a circle's circumference to its diameter."""
    return _math.pi


@operator(SET, kind=Kind.PURE, example="nan")
def nan() -> float:
    """Return the value that is not a number; it equals nothing, itself included."""
    return _math.nan
