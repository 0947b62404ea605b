"""Equality and order of values, the same inside lists and dicts as alone.

Python compares what a list holds by its own rules, in which 0.1 is not decimal('0.1') and a NaN is itself.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from engine.dsl.running.decimals import aligned
from engine.errors import DslError
from engine.values import is_series

MISSING: Final = object()
"""What `find_key` returns for a key that is not there."""

_PLAIN: Final = frozenset({int, bool, str, type(None)})
"""Types whose values are equal here when they are equal in Python."""


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are equal; numbers by their value, whatever type they have."""
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return False
        if _PLAIN.issuperset(map(type, left)):
            return left == right if _PLAIN.issuperset(map(type, right)) else all(map(same, left, right))
        return all(map(same, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return len(left) == len(right) and all(_has(right, key, value) for key, value in left.items())
    if is_series(left) or is_series(right):
        raise DslError("a series cannot be compared as a whole")
    left, right = aligned(left, right)
    return bool(left == right)


def _has(mapping: Mapping[Any, Any], key: Any, value: Any) -> bool:
    found = find_key(mapping, key)
    return found is not MISSING and same(mapping[found], value)


def ordered(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> bool:
    """Compare two values by `<` or one of its kind; of two lists, the first items that differ decide.

    Raises:
        TypeError: the values have no order.
    """
    if isinstance(left, list) and isinstance(right, list):
        for one, other in zip(left, right, strict=False):
            if not same(one, other):
                return ordered(compare, one, other)
        return bool(compare(len(left), len(right)))
    return bool(compare(*aligned(left, right)))


def contains(items: list[Any], item: Any) -> bool:
    """Tell whether a list holds a value."""
    if type(item) in _PLAIN and _PLAIN.issuperset(map(type, items)):
        return item in items
    return any(same(item, one) for one in items)


def find_key(mapping: Mapping[Any, Any], key: Any) -> Any:
    """Return the key of a mapping that equals another one, or `MISSING`.

    A float is looked for as the decimal of its shortest text too, and a decimal as its float.
    """
    if key != key:
        return MISSING
    if key in mapping:
        return key
    twin = _twin(key)
    return twin if twin is not None and twin in mapping else MISSING


def lookup(mapping: Mapping[Any, Any], key: Any, default: Any) -> Any:
    """Return the value of a mapping's key, or a default when there is none."""
    found = find_key(mapping, key)
    return default if found is MISSING else mapping[found]


def less(left: Any, right: Any) -> bool:
    """Tell whether a value is below another one.

    Raises:
        TypeError: the two have no order.
    """
    return ordered(operator.lt, left, right)


def _twin(key: Any) -> Any:
    """Return the same number in the other type that hashes differently, or None."""
    if type(key) is float:
        return Decimal(repr(key))
    if type(key) is Decimal:
        number = float(key)
        return number if same(number, key) else None
    return None


def is_nan(value: Any) -> bool:
    """Tell whether a value is a number that is none: what the outside sees as null."""
    return type(value) in (float, Decimal) and value != value
