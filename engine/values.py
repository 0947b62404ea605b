"""The typed JSON form of script values, used wherever a value is kept in the state.

=====================  =========================================
value                  JSON
=====================  =========================================
Decimal                `{"$dec": "1.5"}`
series (float64)       `{"$series": [1.5, null]}`, NaN as null
nan, inf, -inf         `{"$float": "nan"}`
dict with a `$` key    `{"$dict": [[key, value], …]}`
dict with other keys   `{"$dict": [[key, value], …]}`
everything else        itself
=====================  =========================================
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, Final

from engine.errors import DslError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Series = NDArray[np.float64]

JsonValue = Any
"""What `json.loads` can give."""

_MESSAGE_DIGITS: Final = Context(prec=12)
_PLAIN: Final = (str, int, bool, type(None))


_IS_SERIES: Final[dict[type, bool]] = {}
"""The types that were seen; asking a type for its name is slow."""


def is_series(value: object) -> bool:
    """Tell a numpy array from everything else without importing numpy."""
    kind = type(value)
    known = _IS_SERIES.get(kind)
    if known is None:
        known = _IS_SERIES[kind] = kind.__module__ == "numpy" and kind.__name__ == "ndarray"
    return known


def encode_value(value: Any) -> JsonValue:
    """Return the typed JSON form of a script value.

    Raises:
        DslError: code `evaluation`, when the value is of a type that no state can keep.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, Decimal):
        return {"$dec": str(value)}
    if isinstance(value, list | tuple):
        return [encode_value(item) for item in value]
    if isinstance(value, Mapping):
        return _encode_mapping(value)
    if is_series(value):
        return {"$series": [item if math.isfinite(item) else None for item in value.tolist()]}
    raise DslError(f"a value of type {type(value).__name__} cannot be kept as a result")


def _encode_mapping(value: Mapping[Any, Any]) -> JsonValue:
    if all(isinstance(key, str) and not key.startswith("$") for key in value):
        return {key: encode_value(item) for key, item in value.items()}
    return {"$dict": [[encode_value(key), encode_value(item)] for key, item in value.items()]}


def decode_value(value: JsonValue) -> Any:
    """Return the script value that `encode_value` made this typed JSON from."""
    if isinstance(value, list):
        return [decode_value(item) for item in value]
    if isinstance(value, Mapping):
        if len(value) == 1:
            ((tag, content),) = value.items()
            if tag in _DECODERS:
                return _DECODERS[tag](content)
        return {key: decode_value(item) for key, item in value.items()}
    return value


def _decode_series(content: list[float | None]) -> Series:
    import numpy as np  # numpy takes 0.15 s to import; most processes never need it

    return np.array([math.nan if item is None else item for item in content], dtype=np.float64)


_DECODERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "$dec": Decimal,
    "$float": float,
    "$series": _decode_series,
    "$dict": lambda pairs: {decode_value(key): decode_value(item) for key, item in pairs},
}


def plain_value(value: Any) -> JsonValue:
    """Return the form that people see: Decimal as text, series as lists, NaN and infinity as null."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return format_decimal(value)
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if is_series(value):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    return str(value)


def format_decimal(value: Decimal) -> str:
    """Return a Decimal as text without exponent and without trailing zeros: `0.0001`, `1000`."""
    if not value.is_finite():
        return str(value)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def short_decimal(value: Decimal) -> str:
    """Return a Decimal for messages, in twelve significant digits: exact quotients can have a hundred."""
    return format_decimal(_MESSAGE_DIGITS.plus(value))


def json_size(value: JsonValue) -> int:
    """Return the size in bytes of a JSON value as it is written to the state."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
