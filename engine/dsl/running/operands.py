"""What subscripts, slices, references and dict literals do with the values of their operands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.dsl.registry import closest
from engine.dsl.running.arithmetic import is_hashable, type_of
from engine.dsl.running.code import Combine
from engine.dsl.running.frame import SCALARS, Frame, Run
from engine.dsl.running.sameness import MISSING, find_key, is_nan
from engine.errors import DslError
from engine.values import is_series

_MAX_KEYS_SHOWN = 10
_FAR = 2**62
"""Beyond the end of every list; bounds of slices are cut to it."""


def subscript(value: Any, index: Any) -> Any:
    """Return one item of a list, dict, text or series.

    Raises:
        DslError: there is no such item; the message names length and index, or the keys there are.
    """
    if isinstance(value, Mapping):
        return _item_of_mapping(value, index)
    if not isinstance(value, list | str) and not is_series(value):
        raise DslError(f"{type_of(value)} has no items")
    if not isinstance(index, int):
        raise DslError(f"an index of a {type_of(value)} is a whole number, not {type_of(index)}")
    try:
        item = value[index]
    except IndexError:
        count = len(value)
        raise DslError(f"index {index} is out of range: the {type_of(value)} has {count} items") from None
    return item if isinstance(value, list | str) else item.item()


def _item_of_mapping(value: Mapping[Any, Any], key: Any) -> Any:
    if not is_hashable(key):
        raise DslError(f"the key of a dict cannot be a {type_of(key)}")
    found = find_key(value, key)
    if found is MISSING:
        near = (
            closest(key, [known for known in value if isinstance(known, str)])
            if isinstance(key, str)
            else None
        )
        raise DslError(
            f"there is no key {key!r}; there is {_shown_keys(value)}",
            suggestion=f"Did you mean {near!r}?" if near else None,
        )
    return value[found]


def _shown_keys(value: Mapping[Any, Any]) -> str:
    keys = [repr(key) for key in list(value)[:_MAX_KEYS_SHOWN]]
    more = len(value) - len(keys)
    return (", ".join(keys) or "nothing in it") + (f" and {more} more" if more > 0 else "")


def walk(action: str, value: Any, path: Sequence[str | int]) -> Any:
    """Follow the path of a reference into an action's result."""
    for done, key in enumerate(path):
        try:
            value = subscript(value, key)
        except DslError as error:
            way = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path[:done])
            raise DslError(f"${action}{way}: {error.message}", suggestion=error.suggestion) from None
    return value


def reference(action: str, path: Sequence[str | int], at: int) -> Run:
    """Return the closure of `$action.path`."""

    def run(frame: Frame) -> Any:
        try:
            return frame.context.references[action]
        except KeyError:
            raise frame.located(DslError(f"${action} has no result"), at, f"${action}") from None

    def run_with_path(frame: Frame) -> Any:
        value = run(frame)
        try:
            return walk(action, value, path)
        except DslError as error:
            raise frame.located(error, at, f"${action}") from None

    return run_with_path if path else run


def parameter(name: str, at: int) -> Run:
    """Return the closure of an `UNRESOLVED_PARAMETER`."""

    def run(frame: Frame) -> Any:
        if name not in frame.context.parameters:
            message = f"no dependency of this action declares the parameter {name}"
            raise frame.located(DslError(message, code="invalid_parameters"), at, name)
        return frame.context.parameters[name]

    return run


def sliced(value: Any, bounds: Sequence[Any]) -> Any:
    """Return `value[start:stop:step]` of a list, text or series; fractions of a bound are cut off."""
    if not isinstance(value, list | str) and not is_series(value):
        raise DslError(f"{type_of(value)} cannot be sliced")
    start, stop, step = (_bound(bound) for bound in bounds)
    if step == 0:
        raise DslError("the step of a slice cannot be 0")
    return value[start:stop:step]


def _bound(bound: Any) -> int | None:
    if bound is None:
        return None
    if isinstance(bound, int | float | Decimal):
        if is_nan(bound):
            raise DslError("a bound of a slice is not a number (null)")
        return int(max(min(bound, _FAR), -_FAR))
    raise DslError(f"the bounds of a slice are numbers, not {type_of(bound)}")


def dict_of(entries: Sequence[tuple[bool, Any, Any]]) -> dict[Any, Any]:
    """Return the dict of `(is spread, key, value)` entries."""
    made: dict[Any, Any] = {}
    for is_spread, key, value in entries:
        if not is_spread:
            if not is_hashable(key):
                raise DslError(f"the key of a dict cannot be a {type_of(key)}")
            _set(made, key, value)
        elif isinstance(value, Mapping):
            for own, item in value.items():
                _set(made, own, item)
        else:
            raise DslError(
                f"`**` takes a dict, not {type_of(value)}",
                code="unsupported",
                suggestion="Join lists with `+`.",
            )
    return made


def _set(made: dict[Any, Any], key: Any, value: Any) -> None:
    found = find_key(made, key)
    made[key if found is MISSING else found] = value


def combined(at: int, doing: str, make: Callable[[list[Any]], Any]) -> Combine:
    """Wrap what a node does with its operands' values: errors are placed, new values counted."""

    def combine(frame: Frame, values: list[Any]) -> Any:
        try:
            made = make(values)
            if type(made) not in SCALARS:
                frame.charge(made)
            return made
        except Exception as error:
            raise frame.located(error, at, doing) from None

    return combine
