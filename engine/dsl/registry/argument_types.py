"""Turns the type that an operator's author annotated into a check of the values that scripts pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from engine.dsl.registry.markers import Choice, LazyValue, Number, Range, Series, SymbolParam, TimeFrameParam
from engine.types import TIME_FRAMES
from engine.values import is_series

REFUSED: Final = object()
"""What a conversion returns for a value that it does not accept."""

Conversion = Callable[[Any], Any]
"""Returns the value as the operator wants it, or `REFUSED`."""

_NUMBERS: Final = frozenset({int, float, Decimal, bool})
_MAX_EXACT: Final = 2**64
"""Larger floats and Decimals are not taken for integers."""


@dataclass(frozen=True, slots=True)
class ArgumentCheck:
    """How one parameter treats a value.

    Attributes:
        expected: what the parameter accepts, in words.
        convert: see `Conversion`.
        code: of the error for what it refuses.
    """

    expected: str
    convert: Conversion
    code: str = "invalid_parameters"


def describe_value(value: Any) -> str:
    """Return a value for an error message: its type and, when short, its text."""
    if value is None:
        return "None"
    name = "series" if is_series(value) else type(value).__name__
    if isinstance(value, list | dict) or name == "series":
        return f"a {name} of {len(value)} items"
    shown = repr(value) if not isinstance(value, Decimal) else str(value)
    return f"{name} {shown}" if len(shown) <= 60 else f"{name} {shown[:57]}…"


def _integer(value: Any) -> Any:
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal) and math.isfinite(value) and -_MAX_EXACT < value < _MAX_EXACT:
        return int(value) if value == int(value) else REFUSED
    return REFUSED


def _float(value: Any) -> Any:
    return float(value) if type(value) in _NUMBERS else REFUSED


def _number(value: Any) -> Any:
    return value if type(value) in _NUMBERS else REFUSED


def _decimal(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, float):
        return Decimal(repr(value))
    return Decimal(value) if isinstance(value, int) else REFUSED


def _list(value: Any) -> Any:
    if isinstance(value, list):
        return value
    return value.tolist() if is_series(value) else REFUSED


def _series(value: Any) -> Any:
    return value if isinstance(value, list) or is_series(value) else REFUSED


def _exactly(kind: type) -> Conversion:
    return lambda value: value if isinstance(value, kind) else REFUSED


def _anything(value: Any) -> Any:
    return value


_CHECKS: Final[dict[Any, ArgumentCheck]] = {
    Any: ArgumentCheck("any value", _anything),
    LazyValue: ArgumentCheck("any expression", _anything),
    int: ArgumentCheck("a whole number", _integer),
    float: ArgumentCheck("a number", _float),
    Decimal: ArgumentCheck("a number", _decimal),
    str: ArgumentCheck("a text", _exactly(str)),
    bool: ArgumentCheck("True or False", _exactly(bool)),
    list: ArgumentCheck("a list", _list),
    dict: ArgumentCheck("a dict", _exactly(dict)),
    Series: ArgumentCheck("a list or series of numbers", _series),
    NoneType: ArgumentCheck("None", lambda value: None if value is None else REFUSED),
}

_NUMBER_CHECK: Final = ArgumentCheck("a number", _number)


def check_for(annotation: Any) -> ArgumentCheck:
    """Return the check for a parameter's annotation, markers included.

    Raises:
        TypeError: the language has no such type; raised while the operator is registered.
    """
    if get_origin(annotation) is not Annotated:
        return _check_of_type(annotation)
    base, *markers = get_args(annotation)
    check = _check_of_type(base)
    for marker in markers:
        narrow = _NARROWING.get(type(marker))
        if narrow is not None:
            check = narrow(check, marker)
    return check


def _check_of_type(annotation: Any) -> ArgumentCheck:
    annotation = getattr(annotation, "__supertype__", annotation)  # of a NewType
    if annotation == Number:
        return _NUMBER_CHECK
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return _any_of([check_for(member) for member in members_of(annotation)])
    if origin is Literal:
        return _narrow_choice(_CHECKS[Any], Choice(*get_args(annotation)))
    check = _CHECKS.get(origin or annotation)
    if check is None:
        raise TypeError(f"operators cannot take a {annotation!r}")
    return check


def members_of(union: Any) -> list[Any]:
    """Return the members of a union, with `Number` as one of them where Python has dissolved it."""
    members = list(get_args(union))
    numbers = get_args(Number)
    if not set(numbers) <= set(members):
        return members
    return [Number, *(member for member in members if member not in numbers)]


def _any_of(checks: list[ArgumentCheck]) -> ArgumentCheck:
    conversions = tuple(check.convert for check in checks)

    def convert(value: Any) -> Any:
        for conversion in conversions:
            converted = conversion(value)
            if converted is not REFUSED:
                return converted
        return REFUSED

    return ArgumentCheck(" or ".join(dict.fromkeys(check.expected for check in checks)), convert)


def _narrow_range(check: ArgumentCheck, bounds: Range) -> ArgumentCheck:
    base = check.convert

    def convert(value: Any) -> Any:
        converted = base(value)
        if converted is REFUSED or converted is None or bounds.holds(converted):
            return converted
        return REFUSED

    return ArgumentCheck(f"{check.expected}, {bounds.describe()}", convert)


def _narrow_choice(check: ArgumentCheck, choice: Choice) -> ArgumentCheck:
    options = choice.options
    base = check.convert

    def convert(value: Any) -> Any:
        converted = base(value)
        if converted is None or (isinstance(converted, str | int) and converted in options):
            return converted
        return REFUSED

    # A choice is part of what an operator means, not of its form: a wrong one fails as its evaluation would.
    return ArgumentCheck(
        "one of " + ", ".join(repr(option) for option in options), convert, code="evaluation"
    )


def _or_none(check: ArgumentCheck, expected: str) -> ArgumentCheck:
    """Accept None too, which stands for the automation's own value."""
    base = check.convert
    return ArgumentCheck(expected, lambda value: None if value is None else base(value))


def _narrow_symbol(check: ArgumentCheck, _: SymbolParam) -> ArgumentCheck:
    return _or_none(check, "a symbol such as 'BTC/USDT'")


def _narrow_time_frame(check: ArgumentCheck, _: TimeFrameParam) -> ArgumentCheck:
    narrowed = _narrow_choice(check, Choice(*TIME_FRAMES))
    return _or_none(narrowed, narrowed.expected)


_NARROWING: Final[dict[type, Callable[[ArgumentCheck, Any], ArgumentCheck]]] = {
    Range: _narrow_range,
    Choice: _narrow_choice,
    SymbolParam: _narrow_symbol,
    TimeFrameParam: _narrow_time_frame,
}
