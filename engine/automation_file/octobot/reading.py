"""Reads JSON of another program part by part, and notes whatever is not as expected instead of failing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException
from typing import Any, Final

from engine.errors import StateError
from engine.money import to_decimal
from engine.types import Timestamp

MAX_DEPTH: Final = 100
"""How deep JSON may be nested; scripts, orders and results need a tenth of it."""

_MAX_BITS: Final = 1_024
_MAX_MAGNITUDE: Final = 40
"""Decimal exponent that no amount and no price of a market reaches, in either direction."""

_MILLISECONDS: Final = 1e11
"""A time above this is in milliseconds: in seconds it would be the year 5138."""

_SHOWN: Final = 40
_NOT_COPIED: Final = "(not copied)"
"""Stands where a secret stood."""

_SECRETS: Final = frozenset(
    {"api_key", "api_secret", "api_password", "access_token", "encrypted", "password"}
    | {"private_key", "secret_key", "mnemonic", "mnemonic_seed", "passphrase"}
)
_SHORTEST_SECRET: Final = 6
"""Shorter values are removed where they stand, and not looked for elsewhere: they may be ordinary words."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was not taken over as it was.

    Attributes:
        path: where it stands in the source, as `automation.actions_dag.actions.0.result`.
        message: what became of it, and what to do where something is to be done.
    """

    path: str
    message: str

    def __str__(self) -> str:
        line = f"{self.path}: {self.message}"
        return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)


@dataclass(slots=True)
class Notes:
    """The notes of one import, in the order in which they were made."""

    taken: list[Note] = field(default_factory=list)
    _known: set[Note] = field(default_factory=set)
    _kinds: set[tuple[str, str]] = field(default_factory=set)

    def add(self, path: str, message: str) -> None:
        """Take a note; what is looked at twice is told once."""
        note = Note(path, message)
        if note not in self._known:
            self._known.add(note)
            self.taken.append(note)

    def add_once(self, path: str, message: str) -> None:
        """Take a note unless the same was said of another item of the same list."""
        kind = (re.sub(r"\.\d+(?=\.|$)", ".*", path), message)
        if kind not in self._kinds:
            self._kinds.add(kind)
            self.add(path, message)


class Part:
    """One JSON object of the source; what nobody asks it for is left over, and noted by `leave`.

    Args:
        value: the object.
        path: where it stands.
        notes: of the import.
    """

    def __init__(self, value: Mapping[str, Any], path: str, notes: Notes) -> None:
        self._value: Final = value
        self._read: Final[set[str]] = set()
        self.path: Final = path
        self.notes: Final = notes

    def __bool__(self) -> bool:
        return any(not is_empty(value) for value in self._value.values())

    def __contains__(self, name: str) -> bool:
        return not is_empty(self._value.get(name))

    def names(self) -> tuple[str, ...]:
        """Return the names of its fields."""
        return tuple(self._value)

    def at(self, name: str) -> str:
        """Return the path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def note(self, name: str, message: str) -> None:
        """Take a note about a field; about the part itself where the name is empty."""
        self.notes.add(self.at(name) if name else self.path or "state", message)

    def raw(self, name: str) -> Any:
        """Return a field as it is."""
        self._read.add(name)
        return self._value.get(name)

    def text(self, name: str) -> str | None:
        """Return a text; None if there is none, or an empty one."""
        value = self.raw(name)
        if isinstance(value, str) or value is None:
            return value or None
        self._unexpected(name, value, "a text")
        return None

    def name(self, name: str) -> str | None:
        """Return an identity, which some programs write as a number."""
        value = self.raw(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text(name)

    def number(self, name: str) -> Decimal | None:
        """Return an amount or a price, exactly as it was written."""
        value = self.raw(name)
        if value is None or value == "":
            return None
        number = _number(value)
        if number is None:
            self._unexpected(name, value, "a number")
        return number

    def time(self, name: str) -> Timestamp | None:
        """Return an instant in UNIX seconds."""
        number = self.number(name)
        if number is None:
            return None
        time = float(number)
        time = time / 1_000 if time > _MILLISECONDS else time
        if 0 <= time < _MILLISECONDS:
            return time
        self.note(name, "no time that can be: not kept")
        return None

    def flag(self, name: str) -> bool:
        """Return whether a field is set to true."""
        value = self.raw(name)
        if not isinstance(value, bool) and value is not None:
            self._unexpected(name, value, "true or false")
        return value is True

    def part(self, name: str) -> Part:
        """Return an object; an empty one if there is none."""
        value = self.raw(name)
        if not isinstance(value, Mapping):
            if not is_empty(value):
                self._unexpected(name, value, "an object")
            value = {}
        return Part(value, self.at(name), self.notes)

    def parts(self, name: str) -> Iterator[Part]:
        """Yield the objects of a list."""
        value = self.raw(name)
        if not isinstance(value, list | tuple):
            if not is_empty(value):
                self._unexpected(name, value, "a list")
            return
        for index, item in enumerate(value):
            path = f"{self.at(name)}.{index}"
            if isinstance(item, Mapping):
                yield Part(item, path, self.notes)
            else:
                self.notes.add(path, f"{_kind(item)} instead of an object: not kept")

    def leave(self, known: Mapping[str, str | None]) -> None:
        """Note what was not read.

        Args:
            known: what to say of a field; None where nothing is lost without it.
        """
        for name, value in self._value.items():
            if name in self._read or is_empty(value):
                continue
            message = known.get(name, "not known here: not kept")
            if message is not None:
                self.notes.add_once(self.at(name), message)

    def _unexpected(self, name: str, value: Any, expected: str) -> None:
        self.note(name, f"{_kind(value)} instead of {expected}: not kept")


def is_empty(value: Any) -> bool:
    """Whether a value says nothing: what OctoBot writes where nothing was set."""
    if isinstance(value, Mapping):
        return all(is_empty(item) for item in value.values())
    return value is None or value is False or value in ("", 0, [])


def shown(value: str) -> str:
    """Return a text of the source for a message, within bounds."""
    return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…")


def without_secrets(raw: Mapping[str, Any], notes: Notes) -> Mapping[str, Any]:
    """Return a copy of the source in which a mark stands wherever a secret stood.

    Raises:
        StateError: it is nested too deep, or has a text or number that no state can hold.
    """
    _check(raw)
    secrets = {value for value in _secret_values(raw) if len(value) >= _SHORTEST_SECRET}
    cleaned = _cleaned(raw, "", secrets, notes)
    assert isinstance(cleaned, dict)
    return cleaned


def _check(raw: Any) -> None:
    """Raise for what would break whatever comes later; without recursion, which may be what breaks."""
    pending: list[tuple[Any, str, int]] = [(raw, "", 0)]
    while pending:
        value, path, depth = pending.pop()
        where = path.removeprefix(".") or "state"
        if depth > MAX_DEPTH:
            raise StateError(f"{where[:200]}: nested more than {MAX_DEPTH} deep")
        if isinstance(value, Mapping):
            for key, item in value.items():
                _check_text(key, where)
                pending.append((item, f"{path}.{key}", depth + 1))
        elif isinstance(value, list | tuple):
            pending += [(item, f"{path}.{index}", depth + 1) for index, item in enumerate(value)]
        elif isinstance(value, str):
            _check_text(value, where)
        elif isinstance(value, int):
            if value.bit_length() > _MAX_BITS:
                raise StateError(f"{where}: a whole number of {value.bit_length():,} bits")
        elif value is not None and not isinstance(value, float):
            raise StateError(f"{where}: a {type(value).__name__} is no JSON")


def _check_text(text: Any, where: str) -> None:
    if not isinstance(text, str):
        raise StateError(f"{where}: a key that is a {type(text).__name__} is no JSON")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise StateError(f"{where}: a text with half a character (a lone surrogate)") from None


def _is_secret(name: str) -> bool:
    return name.lower().replace("-", "_") in _SECRETS


def _secret_values(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if _is_secret(key) and isinstance(item, str):
                yield item
            else:
                yield from _secret_values(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secret_values(item)


def _cleaned(value: Any, path: str, secrets: set[str], notes: Notes) -> Any:
    if isinstance(value, Mapping):
        cleaned = {}
        for key, item in value.items():
            inside = f"{path}.{key}" if path else key
            if _is_secret(key) and not is_empty(item):
                notes.add(inside, "a secret: not copied")
                cleaned[key] = _NOT_COPIED
            else:
                cleaned[_redacted(key, inside, secrets, notes)] = _cleaned(item, inside, secrets, notes)
        return cleaned
    if isinstance(value, list | tuple):
        return [_cleaned(item, f"{path}.{index}", secrets, notes) for index, item in enumerate(value)]
    return _redacted(value, path, secrets, notes) if isinstance(value, str) else value


def _redacted(text: str, path: str, secrets: set[str], notes: Notes) -> str:
    for secret in secrets:
        if secret in text:
            notes.add(path.replace(secret, _NOT_COPIED), "it holds a secret: that part was not copied")
            text = text.replace(secret, _NOT_COPIED)
    return text


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    try:
        number = to_decimal(value)
    except (DecimalException, ValueError):
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _MAX_MAGNITUDE else None


_KINDS: Final = (
    (bool, "a flag"),
    (str, "a text"),
    (int | float, "a number"),
    (list, "a list"),
    (Mapping, "an object"),
)


def _kind(value: Any) -> str:
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "nothing")
