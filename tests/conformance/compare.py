"""Whether an outcome is what a case expects; numbers compare numerically, series as lists."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from engine.errors import DslError, OctoflowError

ANSWERS: Final[Mapping[str, frozenset[str]]] = {
    "missing_funds": frozenset({"not_enough_funds"}),
    "minimal_volume": frozenset({"invalid_order"}),
    "unsupported_order_type": frozenset({"unsupported_stop_order"}),
    "unsupported": frozenset({"unsupported", "unknown_operator", "syntax"}),
    "syntax": frozenset({"syntax", "unsupported"}),
    "MaxOpenOrderReachedForSymbolError": frozenset({"invalid_order"}),
    "PortfolioNegativeValueError": frozenset({"not_enough_funds"}),
    "InvalidArgumentError": frozenset({"invalid_parameter_format"}),
}
"""Codes that meet an expected code other than itself."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An outcome that is an error: its code, and the status that its action would end with."""

    code: str
    status: str | None
    message: str

    @classmethod
    def of(cls, error: OctoflowError) -> Failed:
        """Take what counts from an error."""
        status = error.status.value if isinstance(error, DslError) else None
        return cls(error.code, status, str(error))

    def __str__(self) -> str:
        return f"error {self.code} ({self.status}): {self.message}"


def matches(actual: Any, expected: Any) -> bool:
    """Tell whether an outcome is the expected one."""
    if isinstance(expected, Mapping) and set(expected) == {"error"}:
        return isinstance(actual, Failed) and _is_code(actual, expected["error"])
    if isinstance(actual, Failed):
        return False
    if isinstance(expected, Mapping) and any(key in _FORMS for key in expected):
        return all(_FORMS[key](actual, expected) for key in expected if key in _FORMS)
    return same(actual, expected)


def same(actual: Any, expected: Any) -> bool:
    """Tell whether two values are equal, element by element."""
    actual = _plain(actual)
    if isinstance(expected, bool) or expected is None or isinstance(actual, bool) or actual is None:
        return actual is expected
    if isinstance(expected, Mapping):
        return (
            isinstance(actual, Mapping)
            and actual.keys() == expected.keys()
            and all(matches(actual[key], value) for key, value in expected.items())
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(expected)
            and all(matches(one, other) for one, other in zip(actual, expected, strict=True))
        )
    if isinstance(actual, Decimal) and isinstance(expected, str):
        return actual == Decimal(expected)  # the corpus writes money as text
    if _is_number(actual) and _is_number(expected):
        return Decimal(str(actual)) == Decimal(str(expected))
    return bool(actual == expected)


def _is_code(failed: Failed, expected: str) -> bool:
    if expected == "any":
        return True
    accepted = ANSWERS.get(expected, frozenset({expected}))
    return failed.code in accepted or failed.status in accepted


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_near(actual: Any, expected: Mapping[str, Any]) -> bool:
    wanted, actual = expected["$approx"], _plain(actual)
    tolerance = expected.get("abs_tol", 1e-9)
    if isinstance(wanted, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(wanted)
            and all(abs(float(one) - other) <= tolerance for one, other in zip(actual, wanted, strict=True))
        )
    return _is_number(actual) and abs(float(actual) - wanted) <= tolerance


def _is_between(actual: Any, expected: Mapping[str, Any]) -> bool:
    low, high = expected["$between"]
    return _is_number(actual) and low <= actual <= high


def _part(name: str) -> Callable[[Any, Mapping[str, Any]], bool]:
    return lambda actual, expected: same(actual[name], expected[name])


_FORMS: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], bool]]] = {
    "$approx": _is_near,
    "$between": _is_between,
    "$nan": lambda actual, _: isinstance(actual, float) and math.isnan(actual),
    "$len": lambda actual, expected: len(_plain(actual)) == expected["$len"],
    "$first": lambda actual, expected: matches(_plain(actual)[0], expected["$first"]),
    "$last": lambda actual, expected: matches(_plain(actual)[-1], expected["$last"]),
    **{name: _part(name) for name in ("$value", "$trace", "$orders", "$trades", "$requested", "$result")},
}
"""Forms of an expectation that are more than a value, by their key."""
