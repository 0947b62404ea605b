"""Lists and dicts: reading, ordering, asking about all items."""

from __future__ import annotations

import builtins
from decimal import Decimal
from functools import cmp_to_key
from typing import Annotated, Any, Final

from engine.dsl import Kind, OperatorSet, Range, Series, is_hashable, is_nan, less, lookup, operator, truth
from engine.errors import DslError, invalid_parameters

SET: Final = OperatorSet("collection", "Lists and dicts.")


@operator(SET, kind=Kind.PURE, example="get({'a': 1}, 'b', 0)")
def get(element: Any, key: Any, default: Any) -> Any:
    """Return the value of a dict's key, or a default when there is none.

    Args:
        element: the dict; anything else has no keys.
        key: the key.
        default: returned when the key is missing.
    """
    return lookup(element, key, default) if isinstance(element, dict) and is_hashable(key) else default


@operator(SET, kind=Kind.PURE, name="len", example="len([1, 2])")
def len_(value: str | Series | dict[Any, Any]) -> int:
    """Return how many items a list, dict or series has, or how many characters a text.

    Args:
        value: the list, dict, series or text.
    """
    return builtins.len(value)


@operator(SET, kind=Kind.PURE, name="any", example="any([False, 1 < 2])")
def any_(values: Series) -> bool:
    """Tell whether at least one item counts as true.

    Args:
        values: the list or series.
    """
    return builtins.any(truth(value) for value in _items(values))


@operator(SET, kind=Kind.PURE, name="all", example="all([True, 1 < 2])")
def all_(values: Series) -> bool:
    """Tell whether every item counts as true.

    Args:
        values: the list or series.
    """
    return builtins.all(truth(value) for value in _items(values))


@operator(SET, kind=Kind.PURE, name="sorted", example="sorted([3, 1, 2])")
def sorted_(values: Series, reverse: bool = False) -> list[Any]:
    """Return the items in ascending order; those that are NaN stand behind all others, in either direction.

    Args:
        values: the list or series.
        reverse: descending instead.
    """
    items = _items(values)
    missing = [item for item in items if is_nan(item)]
    known = [item for item in items if not is_nan(item)] if missing else items
    kinds = set(map(type, known))
    # Python orders floats and decimals, and what lists hold, by rules that are not the language's.
    key = _ORDER if list in kinds or {float, Decimal} <= kinds else None
    return builtins.sorted(known, key=key, reverse=reverse) + missing


def _compare(left: Any, right: Any) -> int:
    return -1 if less(left, right) else int(less(right, left))


_ORDER: Final = cmp_to_key(_compare)


@operator(SET, kind=Kind.PURE, example="first(close)")
def first(values: Series) -> Any:
    """Return the first item; of a series, the oldest one.

    Args:
        values: the list or series, not empty.
    """
    return _items(values[:1], what="first")[0]


@operator(SET, kind=Kind.PURE, example="last(close)")
def last(values: Series) -> Any:
    """Return the last item; of a series, the newest one.

    Args:
        values: the list or series, not empty.
    """
    return _items(values[-1:], what="last")[0]


_MAX_RANGE: Final = 100_000
"""Below the limit of lists, because it takes 12 characters to ask for so many."""

_Bound = Annotated[int, Range(ge=-(10**15), le=10**15)]


@operator(SET, kind=Kind.PURE, name="range", example="range(5)")
def range_(start: _Bound, stop: _Bound | None = None, step: _Bound = 1) -> list[int]:
    """Return the integers from a start to below a stop.

    Args:
        start: the first integer; given alone, it is the stop, and the first one is 0.
        stop: the integers end before it.
        step: distance between two of them, not 0.
    """
    if step == 0:
        raise invalid_parameters("the step cannot be 0")
    numbers = builtins.range(start, stop, step) if stop is not None else builtins.range(0, start, step)
    if builtins.len(numbers) > _MAX_RANGE:
        message = f"{builtins.len(numbers):,} integers; a range has at most {_MAX_RANGE:,}"
        raise DslError(message, code="limit_exceeded")
    return list(numbers)


def _items(values: Series, what: str = "") -> list[Any]:
    items: list[Any] = values if isinstance(values, list) else values.tolist()  # type: ignore[attr-defined]
    if what and not items:
        raise DslError(f"the list is empty, it has no {what} item")
    return items
