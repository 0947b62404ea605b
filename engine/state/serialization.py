"""Reading and writing `AutomationState`: versions, migrations, readable errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from engine.errors import SchemaVersionError, StateError
from engine.state.automation import AutomationState, ExchangeAccountDetails
from engine.state.octobot import is_octobots

SCHEMA_VERSION: Final = 1

RawState = dict[str, Any]
Migration = Callable[[RawState], RawState]

MIGRATIONS: Final[Mapping[int, Migration]] = MappingProxyType({})
"""From version n to n + 1. Version 1 is the first; a state without a version is one of version 1."""

_MAX_SHOWN_PROBLEMS = 5


def load_state(
    raw: Mapping[str, Any], *, migrations: Mapping[int, Migration] = MIGRATIONS
) -> AutomationState:
    """Validate a state, migrated to the present schema.

    Raises:
        SchemaVersionError: the state is of a newer schema than this release knows.
        StateError: the state does not have the right form, and the message names each field; or it is one of
            OctoBot, which is imported first.
    """
    migrated = _migrate(raw, migrations)
    _refuse_halves(migrated)
    try:
        state = AutomationState.model_validate(migrated)
    except ValidationError as error:
        raise StateError(f"invalid state: {describe(error)}") from None
    _check_account(state.exchange_account_details)
    return state


def dump_state(state: AutomationState) -> RawState:
    """Return the JSON form: fields at their default are left out at every level."""
    return state.model_dump(mode="json", exclude_defaults=True)


def _migrate(raw: Mapping[str, Any], migrations: Mapping[int, Migration]) -> RawState:
    if not isinstance(raw, Mapping):
        raise StateError(f"a state is a JSON object, not {type(raw).__name__}")
    if is_octobots(raw):
        raise StateError(
            "this is a state of OctoBot: `octoflow import octobot STATE` makes one of Octoflow of it"
        )
    version = raw.get("schema_version", SCHEMA_VERSION)
    if not isinstance(version, int) or isinstance(version, bool):
        raise StateError(f"schema_version is {version!r}; expected a whole number such as {SCHEMA_VERSION}")
    newest = max([SCHEMA_VERSION, *(known + 1 for known in migrations)])
    if version < min([SCHEMA_VERSION, *migrations]):
        raise StateError(f"schema_version is {version}; there never was one below {SCHEMA_VERSION}")
    if version > newest:
        raise SchemaVersionError(
            f"this state has schema version {version}, this release reads up to {newest}; update Octoflow"
        )
    migrated = {**raw, "schema_version": version}
    for step in range(version, newest):
        migrated = {**migrations[step](migrated), "schema_version": step + 1}
    return migrated


def _refuse_halves(raw: Mapping[str, Any]) -> None:
    """Refuse texts with half of a character, a lone surrogate: nothing could write them down again."""
    try:
        json.dumps(raw, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        place = next(_halves(raw, "state"), "state")
        raise StateError(f"{place} holds half of a character; write it whole") from None
    except (TypeError, ValueError, RecursionError):
        return  # the form is wrong, which the models say


def _halves(value: Any, place: str) -> Iterator[str]:
    """Yield where in a state the texts with half of a character are."""
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        yield place
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _halves(key, f"a key of {place}")
            yield from _halves(item, f"{place}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _halves(item, f"{place}.{index}")


def describe(error: ValidationError) -> str:
    """Return the problems of a validation as one line: the path of each field, and what is wrong with it."""
    problems = [f"{_path(problem['loc'])}: {_message(problem)}" for problem in error.errors()]
    shown = "; ".join(problems[:_MAX_SHOWN_PROBLEMS])
    more = len(problems) - _MAX_SHOWN_PROBLEMS
    return shown + (f" (and {more} more)" if more > 0 else "")


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "state"


def _message(problem: Any) -> str:
    return str(problem["msg"]).removeprefix("Value error, ")


def _check_account(details: ExchangeAccountDetails | None) -> None:
    if details and details.exchange_details.recorded and not details.is_simulated:
        raise StateError(
            "exchange_account_details: a recorded market cannot be traded with credentials; remove one"
        )
