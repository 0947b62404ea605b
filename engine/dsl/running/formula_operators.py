"""The operators of formulas as closures that check nothing."""

from __future__ import annotations

import operator as python
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Values = list[Any]
"""What a formula computes with: the frame, then its variables, then what it has read of the market."""

FormulaPart = Callable[[Values], Any]


@dataclass(frozen=True, slots=True)
class Sign:
    """A binary operator on two operands; with a constant on one side; on the only variable and a constant."""

    both: Callable[[FormulaPart, FormulaPart], FormulaPart]
    right_known: Callable[[FormulaPart, Any], FormulaPart]
    left_known: Callable[[Any, FormulaPart], FormulaPart]
    of_itself: Callable[[Any], FormulaPart]
    bits: Callable[[int, int], int]
    test: Callable[[Any, Any], bool] | None = None


def _grown(left: int, right: int) -> int:
    return max(left, right) + 1


def _one(_left: int, _right: int) -> int:
    return 1


ARITHMETIC: Final[Mapping[str, Sign]] = {
    "+": Sign(
        lambda a, b: lambda v: a(v) + b(v),
        lambda a, b: lambda v: a(v) + b,
        lambda a, b: lambda v: a + b(v),
        lambda b: lambda v: v + b,
        _grown,
    ),
    "-": Sign(
        lambda a, b: lambda v: a(v) - b(v),
        lambda a, b: lambda v: a(v) - b,
        lambda a, b: lambda v: a - b(v),
        lambda b: lambda v: v - b,
        _grown,
    ),
    "*": Sign(
        lambda a, b: lambda v: a(v) * b(v),
        lambda a, b: lambda v: a(v) * b,
        lambda a, b: lambda v: a * b(v),
        lambda b: lambda v: v * b,
        python.add,
    ),
    "/": Sign(
        lambda a, b: lambda v: a(v) / b(v),
        lambda a, b: lambda v: a(v) / b,
        lambda a, b: lambda v: a / b(v),
        lambda b: lambda v: v / b,
        lambda _left, _right: 0,
    ),
    "//": Sign(
        lambda a, b: lambda v: a(v) // b(v),
        lambda a, b: lambda v: a(v) // b,
        lambda a, b: lambda v: a // b(v),
        lambda b: lambda v: v // b,
        lambda left, _right: left + 1,
    ),
    "%": Sign(
        lambda a, b: lambda v: a(v) % b(v),
        lambda a, b: lambda v: a(v) % b,
        lambda a, b: lambda v: a % b(v),
        lambda b: lambda v: v % b,
        lambda _left, right: right,
    ),
}

COMPARISONS: Final[Mapping[str, Sign]] = {
    "<": Sign(
        lambda a, b: lambda v: a(v) < b(v),
        lambda a, b: lambda v: a(v) < b,
        lambda a, b: lambda v: a < b(v),
        lambda b: lambda v: v < b,
        _one,
        python.lt,
    ),
    "<=": Sign(
        lambda a, b: lambda v: a(v) <= b(v),
        lambda a, b: lambda v: a(v) <= b,
        lambda a, b: lambda v: a <= b(v),
        lambda b: lambda v: v <= b,
        _one,
        python.le,
    ),
    ">": Sign(
        lambda a, b: lambda v: a(v) > b(v),
        lambda a, b: lambda v: a(v) > b,
        lambda a, b: lambda v: a > b(v),
        lambda b: lambda v: v > b,
        _one,
        python.gt,
    ),
    ">=": Sign(
        lambda a, b: lambda v: a(v) >= b(v),
        lambda a, b: lambda v: a(v) >= b,
        lambda a, b: lambda v: a >= b(v),
        lambda b: lambda v: v >= b,
        _one,
        python.ge,
    ),
    "==": Sign(
        lambda a, b: lambda v: a(v) == b(v),
        lambda a, b: lambda v: a(v) == b,
        lambda a, b: lambda v: a == b(v),
        lambda b: lambda v: v == b,
        _one,
        python.eq,
    ),
    "!=": Sign(
        lambda a, b: lambda v: a(v) != b(v),
        lambda a, b: lambda v: a(v) != b,
        lambda a, b: lambda v: a != b(v),
        lambda b: lambda v: v != b,
        _one,
        python.ne,
    ),
}


LOGICAL: Final[Mapping[str, Callable[[FormulaPart, FormulaPart], FormulaPart]]] = {
    "and": lambda a, b: lambda v: a(v) and b(v),
    "or": lambda a, b: lambda v: a(v) or b(v),
}


SIGNED: Final[Mapping[str, Callable[[FormulaPart], FormulaPart]]] = {
    "+": lambda a: lambda v: +a(v),
    "-": lambda a: lambda v: -a(v),
}


def itself(value: Any) -> Any:
    """Return the value: the step of a formula's only variable."""
    return value
