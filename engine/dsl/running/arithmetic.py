"""The operators `+ - * / // % **`, comparisons and truth, for every type of value, with their limits.

The compiled fast paths (`fast_paths.py`) do what they can for int and float and leave everything else to
these functions. All take the limits of the script, and raise `DslError` without a position, which their
caller adds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final

from engine.dsl.limits import Limits
from engine.dsl.running.decimals import aligned, decimal_operation, negated
from engine.dsl.running.sameness import MISSING, contains, find_key, is_nan, ordered, same
from engine.errors import DslError
from engine.values import is_series

Apply = Callable[[Any, Any, Limits], Any]
"""An operator with two operands."""

_INTEGERS: Final = (int, bool)
_SEQUENCES: Final = (str, list)
_NUMBERS: Final = frozenset({int, float, bool, Decimal})
_CONTAINERS: Final = (list, dict)
_MAX_DECIMAL_EXPONENT: Final = 400
_CONTAINER_TYPES: Final = frozenset(_CONTAINERS)
_WITHOUT_ITEMS: Final = frozenset({*_NUMBERS, type(None)})
_CHARACTERS_PER_ITEM: Final = 4
"""How many characters of a text cost as much as one item of a list; in memory they take as much at most."""


def type_of(value: Any) -> str:
    """Return the name of a value's type as people know it."""
    if value is None:
        return "None"
    return "series" if is_series(value) else type(value).__name__


def _limit(message: str) -> DslError:
    return DslError(message, code="limit_exceeded")


def check_number(value: Any, limits: Limits) -> Any:
    """Return a number, unless it is an integer over the limit or a Decimal that no float could hold."""
    if type(value) is int and value.bit_length() > limits.integer_bits:
        raise _limit(f"an integer of {value.bit_length()} bits; integers stay below 2**{limits.integer_bits}")
    if type(value) is Decimal and value and _is_extreme(value):
        raise _limit(f"a decimal with an exponent beyond {_MAX_DECIMAL_EXPONENT}")
    return value


def _is_extreme(value: Decimal) -> bool:
    return value.is_infinite() or (value.is_finite() and abs(value.adjusted()) > _MAX_DECIMAL_EXPONENT)


def check_items(count: int, limits: Limits) -> None:
    """Refuse a list, dict or text of more items than allowed."""
    if count > limits.items:
        raise _limit(f"{count:,} items; a list or text has at most {limits.items:,}")


def weigh(value: Any, limits: Limits) -> int:
    """Return how many items a value has with everything inside it, characters of texts included.

    A list that stands in several places counts in each of them, as it does for whoever walks through it.

    Raises:
        DslError: more than one evaluation may touch, or nested too deep.
    """
    weight, _ = _weight_and_height(value, limits, limits.nesting, {})
    return weight


def _weight_and_height(
    value: Any, limits: Limits, room: int, known: dict[int, tuple[int, int]]
) -> tuple[int, int]:
    kind = type(value)
    if kind not in _CONTAINER_TYPES:
        return _weight_of_flat(value), 0
    if id(value) in known:
        weight, height = known[id(value)]
    else:
        items = value if kind is list else [*value.keys(), *value.values()]
        weight, height = len(items), 1
        if room > 0 and not _WITHOUT_ITEMS.issuperset(map(type, items)):
            for item in items:
                if type(item) not in _WITHOUT_ITEMS:
                    inner, depth = _weight_and_height(item, limits, room - 1, known)
                    weight, height = weight + inner, max(height, depth + 1)
        known[id(value)] = weight, height
    if height > room:
        raise _limit(f"a value nested more than {limits.nesting} deep")
    if weight > limits.work:
        raise _limit(f"a value of more than {limits.work:,} items")
    return weight, height


def _weight_of_flat(value: Any) -> int:
    if type(value) is str:
        return len(value) // _CHARACTERS_PER_ITEM + 1
    return len(value) if is_series(value) else 1


def _numeric(name: str, apply: Callable[[Any, Any], Any]) -> Apply:
    """Make an operator that takes numbers and series only."""
    of_decimals = decimal_operation(name)

    def apply_numeric(left: Any, right: Any, limits: Limits) -> Any:
        try:
            if type(left) in _NUMBERS and type(right) in _NUMBERS:
                left, right = aligned(left, right)
                is_decimal = type(left) is Decimal or type(right) is Decimal
                return check_number((of_decimals if is_decimal else apply)(left, right), limits)
            if is_series(left) or is_series(right):
                return _elementwise(name, apply, left, right)
        except ZeroDivisionError:
            raise DslError(f"`{name}`: division by zero") from None
        except OverflowError:
            raise DslError(f"`{name}`: the result is too large") from None
        raise _refused(name, left, right)

    return apply_numeric


def _refused(name: str, left: Any, right: Any) -> DslError:
    hint = None
    if isinstance(left, str) != isinstance(right, str) and name == "+":
        hint = "Turn the number into a text with `str(value)`, or the text into a number with `float(text)`."
    return DslError(f"`{name}` cannot take {type_of(left)} and {type_of(right)}", suggestion=hint)


def _elementwise(name: str, apply: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    import numpy as np  # a script with a series has loaded it already

    operands = []
    for operand in (left, right):
        if not (is_series(operand) or isinstance(operand, list) or type(operand) in _NUMBERS):
            raise _refused(name, left, right)
        try:
            operands.append(np.asarray(operand, dtype=np.float64))
        except (TypeError, ValueError):
            raise DslError(f"`{name}` with a series takes a number or a list of numbers") from None
    lengths = [operand.shape[0] for operand in operands if operand.ndim]
    if len(set(lengths)) > 1:
        raise DslError(f"`{name}` of two series of different lengths: {lengths[0]} and {lengths[1]}")
    if name in ("/", "//", "%") and not np.all(operands[1]):
        raise ZeroDivisionError
    with np.errstate(all="ignore"):
        return apply(*operands)


_add_numbers = _numeric("+", operator.add)
_multiply_numbers = _numeric("*", operator.mul)


def add(left: Any, right: Any, limits: Limits) -> Any:
    """Add numbers and series; join texts, and lists with lists or series."""
    if isinstance(left, str) and isinstance(right, str):
        check_items(len(left) + len(right), limits)
        return left + right
    if (isinstance(left, list) and _is_items(right)) or (_is_items(left) and isinstance(right, list)):
        check_items(len(left) + len(right), limits)
        return [*_as_list(left), *_as_list(right)]
    return _add_numbers(left, right, limits)


def _is_items(value: Any) -> bool:
    return isinstance(value, list) or is_series(value)


def _as_list(value: Any) -> list[Any]:
    items: list[Any] = value if isinstance(value, list) else value.tolist()
    return items


def multiply(left: Any, right: Any, limits: Limits) -> Any:
    """Multiply numbers and series; repeat texts, lists."""
    if isinstance(left, _SEQUENCES) and isinstance(right, _INTEGERS):
        return _repeat(left, right, limits)
    if isinstance(right, _SEQUENCES) and isinstance(left, _INTEGERS):
        return _repeat(right, left, limits)
    return _multiply_numbers(left, right, limits)


def _repeat(sequence: Any, times: int, limits: Limits) -> Any:
    times = max(times, 0)
    check_items(len(sequence) * times, limits)
    if isinstance(sequence, list) and weigh(sequence, limits) * times > limits.work:
        raise _limit(f"a value of more than {limits.work:,} items")
    return sequence * times


def _power_numbers(base: Any, exponent: Any) -> Any:
    result = base**exponent
    if isinstance(result, complex):
        raise DslError("a negative number has no real root")
    return result


_power = _numeric("**", _power_numbers)


def power(base: Any, exponent: Any, limits: Limits) -> Any:
    """Raise a number or series to a power; the size of the result is checked before it is computed."""
    if isinstance(base, _INTEGERS) and isinstance(exponent, _INTEGERS) and exponent > 0:
        bits = (abs(base).bit_length() - 1) * exponent
        if bits > limits.integer_bits:
            raise _limit(f"a power of more than {bits} bits; integers stay below 2**{limits.integer_bits}")
    return _power(base, exponent, limits)


ARITHMETIC: Final[dict[str, Apply]] = {
    "+": add,
    "-": _numeric("-", operator.sub),
    "*": multiply,
    "/": _numeric("/", operator.truediv),
    "//": _numeric("//", operator.floordiv),
    "%": _numeric("%", operator.mod),
    "**": power,
}


def _comparison(name: str, holds: Callable[[Any, Any], bool]) -> Apply:
    def apply(left: Any, right: Any, limits: Limits) -> bool:
        del limits
        if is_series(left) or is_series(right):
            raise DslError(
                f"`{name}` cannot take a series as a whole",
                suggestion="Compare one of its values: `series[-1]`.",
            )
        try:
            return holds(left, right)
        except TypeError:
            raise _refused(name, left, right) from None

    return apply


def _contains(item: Any, container: Any) -> bool:
    if is_series(container):
        return contains(container.tolist(), item)
    if isinstance(container, str) and not isinstance(item, str):
        raise TypeError
    if isinstance(container, list):
        return contains(container, item)
    if isinstance(container, str):
        return item in container
    if isinstance(container, dict):
        return is_hashable(item) and find_key(container, item) is not MISSING
    raise TypeError


def is_hashable(value: Any) -> bool:
    """Tell whether a value can be the key of a dict."""
    return not isinstance(value, _CONTAINERS) and not is_series(value)


def _membership(name: str, expected: bool) -> Apply:
    def apply(item: Any, container: Any, limits: Limits) -> bool:
        del limits
        try:
            return _contains(item, container) is expected
        except TypeError:
            raise _refused(name, item, container) from None

    return apply


def _identity(expected: bool) -> Apply:
    """Make `is`: equal values of one type are the same, since the language has no identity of objects."""

    def apply(left: Any, right: Any, limits: Limits) -> bool:
        del limits
        same = left is right or (type(left) is type(right) and not is_series(left) and bool(left == right))
        return same is expected

    return apply


COMPARISONS: Final[dict[str, Apply]] = {
    "<": _comparison("<", partial(ordered, operator.lt)),
    "<=": _comparison("<=", partial(ordered, operator.le)),
    ">": _comparison(">", partial(ordered, operator.gt)),
    ">=": _comparison(">=", partial(ordered, operator.ge)),
    "==": _comparison("==", same),
    "!=": _comparison("!=", lambda left, right: not same(left, right)),
    "in": _membership("in", expected=True),
    "not in": _membership("not in", expected=False),
    "is": _identity(expected=True),
    "is not": _identity(expected=False),
}


def signed(signs: tuple[str, ...], value: Any) -> Any:
    """Apply a run of signs to a number or series."""
    if type(value) not in _NUMBERS and not is_series(value):
        raise DslError(f"`{signs[-1]}` cannot take {type_of(value)}")
    if type(value) is Decimal:
        return negated(value) if signs.count("-") % 2 else value
    return -value if signs.count("-") % 2 else +value


def truth(value: Any) -> bool:
    """Tell whether a value counts as true; a series does when it has values.

    Raises:
        DslError: the value is NaN, which decides nothing.
    """
    if is_nan(value):
        raise DslError(
            "a condition is not a number (null), which is neither true nor false",
            suggestion="Ask before whether it is known: `value == value` is False for what is not a number.",
        )
    return len(value) > 0 if is_series(value) else bool(value)
