"""Reads the literals of the language: numbers and texts as they are written in a script."""

from __future__ import annotations

import re
from typing import Final

_ESCAPES: Final = {
    "\\": "\\",
    "'": "'",
    '"': '"',
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
}
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_PREFIXES: Final = {"0x": 16, "0o": 8, "0b": 2}
_DECIMAL_DIGITS_PER_BIT: Final = 0.302
"""A little above log10(2), so that the check below never refuses a number that fits."""


class BadLiteralError(ValueError):
    """A literal that looks right but has no value; the message says why."""


def read_text(source: str) -> str:
    """Return the value of a quoted text.

    Raises:
        BadLiteralError: an escape that does not exist.
    """
    body = source[1:-1]
    return _ESCAPE.sub(_unescape, body) if "\\" in body else body


def _unescape(match: re.Match[str]) -> str:
    escape = match.group(1)
    if len(escape) == 1:
        if escape not in _ESCAPES:
            raise BadLiteralError(f"`\\{escape}` is no escape; write `\\\\{escape}` for a backslash")
        return _ESCAPES[escape]
    code = int(escape[1:], 16)
    if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
        raise BadLiteralError(f"`\\{escape}` is not a Unicode character")
    return chr(code)


def read_number(source: str, max_bits: int) -> int | float:
    """Return the value of a number.

    Raises:
        BadLiteralError: it is too large.
    """
    digits = source.replace("_", "")
    base = _PREFIXES.get(digits[:2].lower())
    if base is None and not digits.isdigit():
        value = float(digits)
        if value in (float("inf"), float("-inf")):
            raise BadLiteralError(f"{source} is too large for a floating-point number")
        return value
    too_large = BadLiteralError(f"this integer is too large; integers stay below 2**{max_bits}")
    if len(digits) > max_bits * (1 if base == 2 else _DECIMAL_DIGITS_PER_BIT) + 3:
        raise too_large
    number = int(digits, base or 10)
    if number.bit_length() > max_bits:
        raise too_large
    return number
