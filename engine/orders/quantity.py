"""The text form of amounts and prices: a signed decimal with a marker before, after or around it.

`0.5`, `500q`, `10%`, `a%10`, `-2%`, `@45000`, `d-10`, `e5%`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from engine.errors import DslError
from engine.money import to_decimal


class Marker(StrEnum):
    """What the number of a quantity counts."""

    NONE = ""
    ABSOLUTE = "@"
    BASE = "b"
    QUOTE = "q"
    OFFSET = "d"
    PERCENT = "%"
    AVAILABLE_PERCENT = "a%"
    PAIR_PERCENT = "s%"
    TRADED_PERCENT = "t%"
    POSITION = "p"
    POSITION_PERCENT = "p%"
    ENTRY = "e"
    ENTRY_PERCENT = "e%"


AMOUNT_MARKERS: Final = frozenset(
    {
        Marker.NONE,
        Marker.BASE,
        Marker.QUOTE,
        Marker.PERCENT,
        Marker.AVAILABLE_PERCENT,
        Marker.PAIR_PERCENT,
        Marker.TRADED_PERCENT,
        Marker.POSITION,
        Marker.POSITION_PERCENT,
    }
)
# A price in quote is an absolute one, so `45000q` says the same as `45000`.
PRICE_MARKERS: Final = frozenset(
    {
        Marker.NONE,
        Marker.ABSOLUTE,
        Marker.QUOTE,
        Marker.OFFSET,
        Marker.PERCENT,
        Marker.ENTRY,
        Marker.ENTRY_PERCENT,
    }
)

_BY_LETTERS: Final = {"".join(sorted(marker)): marker for marker in Marker}
_MARKER_LETTERS: Final = frozenset("".join(Marker))
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?", re.ASCII)
_MAX_DIGITS: Final = 60
"""Longer numbers are mistakes, and cost time to compute with."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and what it counts; `value` is None when the text holds a marker only."""

    marker: Marker
    value: Decimal | None


def parse_quantity(value: Any, *, what: str = "amount or price") -> Quantity:
    """Read a number, a text, or None (no value).

    Args:
        value: what a script gave.
        what: its name in errors.

    Raises:
        DslError: `invalid_parameter_format`, naming the first character that does not fit.
    """
    if value is None:
        return Quantity(Marker.NONE, None)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise _refused(what, str(value), "it is not a finite number")
        return Quantity(Marker.NONE, to_decimal(value))
    if not isinstance(value, str):
        raise _refused(what, f"a {type(value).__name__}", "a number or a text is needed")
    return _parse_text(value, what)


def _parse_text(text: str, what: str) -> Quantity:
    start = _skip_marker(text, 0)
    number = _NUMBER.match(text, start)
    end = number.end() if number else start
    after = _skip_marker(text, end)
    if after < len(text):
        raise _refused(what, text, f"unexpected {text[after]!r} at character {after + 1}", after)
    letters = text[:start] + text[end:]
    marker = _BY_LETTERS.get("".join(sorted(letters)))
    if marker is None:
        raise _refused(what, text, f"{letters!r} is not a marker", 0 if start else end)
    if number is None:
        return Quantity(marker, None)
    value = Decimal(number.group())
    if abs(value.adjusted()) > _MAX_DIGITS or len(value.as_tuple().digits) > _MAX_DIGITS:
        raise _refused(what, text, "the number is too long", start)
    return Quantity(marker, value)


def parse_amount(value: Any) -> Quantity:
    """Read the amount of an order: a positive number with a marker that amounts know.

    Raises:
        DslError: `invalid_parameter_format`.
    """
    quantity = _require(value, AMOUNT_MARKERS, "amount")
    if not quantity.value or quantity.value <= 0:
        raise _refused("amount", str(value), "an amount must be above zero")
    return quantity


def parse_price(value: Any) -> Quantity:
    """Read a price: a number with a marker that prices know.

    Raises:
        DslError: `invalid_parameter_format`.
    """
    return _require(value, PRICE_MARKERS, "price")


def _require(value: Any, markers: frozenset[Marker], what: str) -> Quantity:
    quantity = parse_quantity(value, what=what)
    if quantity.value is None:
        raise _refused(what, str(value), "a number is missing")
    if quantity.marker not in markers:
        known = " ".join(sorted(marker for marker in markers if marker))
        reason = f"the marker {quantity.marker.value!r} is not for {what}s; these know {known}"
        raise _refused(what, str(value), reason)
    return quantity


def _skip_marker(text: str, start: int) -> int:
    end = start
    while end < len(text) and text[end] in _MARKER_LETTERS:
        end += 1
    return end


def _refused(what: str, shown: str, reason: str, index: int | None = None) -> DslError:
    excerpt = None if index is None or len(shown) > 80 else f"  {shown}\n  {' ' * index}^"
    return DslError(
        f"invalid {what} {shown if len(shown) <= 80 else shown[:77] + '...'!r}: {reason}"
        + (f"\n{excerpt}" if excerpt else ""),
        code="invalid_parameter_format",
        suggestion="Write a decimal and at most one marker, without spaces: '0.5', '500q', '10%', '-2%'.",
    )
