"""Texts, and conversions between them and numbers."""

from __future__ import annotations

import builtins
import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from engine.dsl import DEFAULT_LIMITS, Kind, Number, OperatorSet, check_number, operator
from engine.errors import DslError
from engine.operators.math import bounded
from engine.values import format_decimal, is_series, plain_value

SET: Final = OperatorSet("text & conversion", "Texts, and conversions between them and numbers.")

_MAX_NUMBER_TEXT: Final = 400
"""Longer texts are no number that anyone wrote, and slow to read."""


def _number_text(value: builtins.str) -> builtins.str:
    text = value.strip()
    if len(text) > _MAX_NUMBER_TEXT:
        raise DslError(f"a text of {len(text):,} characters is not read as a number")
    return text


@operator(SET, kind=Kind.PURE, name="int", example="int('12')")
def int_(value: Number | builtins.str) -> builtins.int:
    """Return a number without its fraction, or the integer that a text spells.

    Args:
        value: the number or text.
    """
    if isinstance(value, builtins.str):
        try:
            number = builtins.int(_number_text(value))
        except ValueError:
            raise DslError(f"{value!r} is not an integer") from None
    else:
        number = builtins.int(bounded(value))
    checked: builtins.int = check_number(number, DEFAULT_LIMITS)
    return checked


@operator(SET, kind=Kind.PURE, name="float", example="float('1.5')")
def float_(value: Number | builtins.str) -> builtins.float:
    """Return a number, or the one that a text spells, in floating point.

    Args:
        value: the number or text.
    """
    try:
        return builtins.float(_number_text(value) if isinstance(value, builtins.str) else value)
    except ValueError:
        raise DslError(f"{value!r} is not a number") from None


@operator(SET, kind=Kind.PURE, example="decimal('0.1') + decimal('0.2')")
def decimal(value: Number | builtins.str) -> Decimal:
    """Return a number, or the one that a text spells, as an exact decimal.

    Args:
        value: the number or text; a float counts by its shortest text.
    """
    if isinstance(value, bool | builtins.float):
        value = repr(value + 0)
    try:
        number = Decimal(_number_text(value) if isinstance(value, builtins.str) else value)
    except InvalidOperation:
        raise DslError(f"{value!r} is not a number") from None
    if number.is_snan():
        raise DslError(f"{value!r} is not a number")  # it could not even be compared
    checked: Decimal = check_number(number, DEFAULT_LIMITS)
    return checked


@operator(SET, kind=Kind.PURE, name="str", example="'price: ' + str(close[-1])")
def str_(value: Any) -> builtins.str:
    """Return a value as text: decimals without exponent, lists and dicts as JSON.

    Args:
        value: any value.
    """
    if isinstance(value, builtins.str):
        return value
    if isinstance(value, Decimal):
        return format_decimal(value)
    if isinstance(value, list | dict) or is_series(value):
        return json.dumps(plain_value(value), ensure_ascii=False)
    return builtins.str(value)


@operator(SET, kind=Kind.PURE, example="lower('BTC')")
def lower(text: builtins.str) -> builtins.str:
    """Return a text in lower case.

    Args:
        text: the text.
    """
    return text.lower()


@operator(SET, kind=Kind.PURE, example="upper('btc')")
def upper(text: builtins.str) -> builtins.str:
    """Return a text in upper case.

    Args:
        text: the text.
    """
    return text.upper()


@operator(SET, kind=Kind.PURE, example="contains('BTC/USDT', 'USDT')")
def contains(text: builtins.str, part: builtins.str) -> bool:
    """Tell whether a text holds another one.

    Args:
        text: the longer text.
        part: what is looked for.
    """
    return part in text


@operator(SET, kind=Kind.PURE, example="starts_with('BTC/USDT', 'BTC')")
def starts_with(text: builtins.str, start: builtins.str) -> bool:
    """Tell whether a text starts with another one.

    Args:
        text: the longer text.
        start: what it may start with.
    """
    return text.startswith(start)


@operator(SET, kind=Kind.PURE, example="split('BTC/USDT', '/')[0]")
def split(text: builtins.str, separator: builtins.str | None = None) -> list[builtins.str]:
    """Return the parts of a text between separators.

    Args:
        text: the text.
        separator: left out: any white space.
    """
    return text.split(separator)


@operator(SET, kind=Kind.PURE, example="join(['BTC', 'USDT'], '/')")
def join(items: list[Any], separator: builtins.str = "") -> builtins.str:
    """Return the texts of some items as one.

    Args:
        items: the items; those that are no texts are turned into one as `str` does.
        separator: stands between two items.
    """
    texts = [str_(item) for item in items]
    length = sum(map(len, texts)) + len(separator) * max(len(texts) - 1, 0)
    if length > DEFAULT_LIMITS.items:
        message = f"{length:,} characters; a text has at most {DEFAULT_LIMITS.items:,}"
        raise DslError(message, code="limit_exceeded")
    return separator.join(texts)
