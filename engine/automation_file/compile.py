"""Compiles an automation file to the state of an automation that has not started yet.

A file is checked in four steps: its text (`automation_source`), its form (`automation_schema`), its
scripts, and how its actions depend on each other. A step that finds problems still lets the next one look at
what is sound, so that a person gets to see all of them at once.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from engine.automation_file.schema import FORMS, ActionEntry, AutomationFile, ExchangeEntry
from engine.automation_file.source import (
    AutomationFileError,
    Document,
    KeyPath,
    Problem,
    did_you_mean,
    read_document,
)
from engine.dsl import CompiledScript, Defaults, OperatorRegistry, compile_script
from engine.errors import DslError
from engine.exchanges import known_exchange_ids
from engine.operators import default_registry
from engine.state import SCHEMA_VERSION, AutomationState, load_state

__all__ = ["AutomationFileError", "Problem", "load_automation"]


def load_automation(
    text: str,
    *,
    source_name: str = "automation",
    folder: Path | None = None,
    registry: OperatorRegistry | None = None,
) -> AutomationState:
    """Compile an automation file to a state that can be started.

    Args:
        text: the file's content, YAML or JSON.
        source_name: how messages call the file.
        folder: what a relative `recorded` folder is relative to; left as it is if None.
        registry: the operators that scripts may call; the default ones if None.

    Raises:
        AutomationFileError: with every problem of the file and where it is.
    """
    document = read_document(text, source_name)
    problems: list[Problem] = []
    file = _check_form(document, problems)
    scripts = _compile_scripts(document, registry or default_registry(), problems)
    problems.extend(_check_graph(document, scripts))
    problems.extend(_check_exchange_id(document))
    if file is not None:
        problems.extend(_check_account(document, file))
        problems.extend(_check_name(document, file))
        problems.extend(_check_scripts(document, file, scripts))
    if file is None or problems:
        raise AutomationFileError(problems)
    return load_state(_state_of(file, folder))


# The form


def _check_form(document: Document, problems: list[Problem]) -> AutomationFile | None:
    """Return the file if its form is right, and what can still be checked of it if it is not."""
    try:
        return AutomationFile.model_validate(document.value)
    except ValidationError as error:
        problems.extend(_form_problem(document, details) for details in error.errors())
        return None


def _form_problem(document: Document, details: ErrorDetails) -> Problem:
    path: KeyPath = tuple(part for part in details["loc"] if part != "[key]")
    kind = details["type"]
    if kind == "extra_forbidden":
        known = _known_keys(path[:-1])
        message = f"unknown key {path[-1]!r}; expected {', '.join(known)}"
        return document.problem(path, message, hint=did_you_mean(str(path[-1]), known), at_key=True)
    if kind == "missing":
        return document.problem(path[:-1], f"{path[-1]!r} is missing", at_key=True)
    return document.problem(path, _expectation(details), at_key="[key]" in details["loc"])


def _known_keys(path: KeyPath) -> tuple[str, ...]:
    pattern = tuple(
        "*" if path[0] == "actions" and depth == 1 else str(key) for depth, key in enumerate(path)
    )
    return tuple(FORMS[pattern].model_fields)


_EXPECTED: Final[Mapping[str, str]] = {
    "string_type": "expected a text",
    "dict_type": "expected a mapping, one `key: value` a line",
    "model_type": "expected a mapping, one `key: value` a line",
    "list_type": "expected the id of an action, or a list of ids",
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "literal_error": "expected {expected}",
    "string_too_short": "must not be empty",
    "string_too_long": "must not be longer than {max_length} characters",
    "too_short": "needs at least one entry",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "decimal_parsing": "expected a number",
    "decimal_type": "expected a number",
    "float_parsing": "expected a number",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
}
"""What each kind of pydantic error asks for, in a user's words."""

_PATTERNS: Final[Mapping[str, str]] = {
    "id": "an id is made of letters, digits, '.', '_' and '-'",
    "actions": "an action's id is made of letters, digits and '_'; a script with a comma needs quotes in { }",
    "exchange": "an exchange is named by its ccxt id, in lower case: binance",
}


def _expectation(details: ErrorDetails) -> str:
    what = " ".join(str(part) for part in details["loc"][-1:] if part != "[key]")
    if details["type"] == "string_pattern_mismatch":
        return f"{details['input']!r} cannot be used here: {_PATTERNS[str(details['loc'][0])]}"
    if details["type"] == "value_error":
        message = str(details["ctx"]["error"])
        return f"{what}: {message}" if what else message
    expected = _EXPECTED.get(details["type"])
    if expected is None:
        return details["msg"]
    shown = f" {details['input']!r}" if isinstance(details["input"], str | int | float) else ""
    return f"{what}{shown}: {expected.format(**details.get('ctx', {}))}" if what else f"{expected}"


# The scripts


def _compile_scripts(
    document: Document, registry: OperatorRegistry, problems: list[Problem]
) -> dict[str, CompiledScript]:
    """Compile what can be compiled, whether the rest of the file is right or not."""
    compiled: dict[str, CompiledScript] = {}
    for action_id, path, script in _scripts(document.value):
        try:
            compiled[action_id] = compile_script(script, registry)
        except DslError as error:
            problems.append(_script_problem(document, path, error))
    return compiled


def _scripts(value: Any) -> Iterator[tuple[str, KeyPath, str]]:
    for action_id, entry in _actions(value).items():
        script = entry.get("run") if isinstance(entry, dict) else entry
        if isinstance(script, str | int | float) and script != "":
            path = ("actions", action_id, "run") if isinstance(entry, dict) else ("actions", action_id)
            yield action_id, path, str(script)


def _actions(value: Any) -> dict[str, Any]:
    actions = value.get("actions") if isinstance(value, dict) else None
    return actions if isinstance(actions, dict) else {}


def _script_problem(document: Document, path: KeyPath, error: DslError) -> Problem:
    if error.position is None:
        return document.problem(path, error.message, hint=error.suggestion)
    place = document.place_in_text(path, error.position.line, error.position.column)
    return document.problem_at(place, path, error.message, error.suggestion)


_MISSING: Final = "missing"
"""Stands in for a default that the file does not give, to find the scripts that use it."""


def _check_scripts(
    document: Document, file: AutomationFile, scripts: Mapping[str, CompiledScript]
) -> Iterator[Problem]:
    """Check what scripts need of the file around them: an exchange, defaults, bound parameters."""
    defaults = Defaults(symbol=file.symbol or _MISSING, time_frame=file.time_frame or _MISSING)
    configures = any(entry.action for entry in file.actions.values())
    for action_id, script in scripts.items():
        path: KeyPath = ("actions", action_id, "run")
        if script.parameters:
            hint = "In a file, write $action.key to use another action's result."
            yield document.problem(path, "UNRESOLVED_PARAMETER is not bound to anything", hint=hint)
        elif configures:
            continue  # the configuration may bring the exchange
        elif script.needs_exchange and file.exchange is None:
            hint = "Add a line such as `exchange: binance`."
            yield document.problem(path, "the script needs an exchange, and the file has none", hint=hint)
        else:
            yield from _check_defaults(document, path, script, defaults)


def _check_defaults(
    document: Document, path: KeyPath, script: CompiledScript, defaults: Defaults
) -> Iterator[Problem]:
    try:
        dependencies = script.dependencies(defaults)
    except DslError as error:
        if not script.references:  # with references, only the run can tell
            yield _script_problem(document, path, error)
        return
    if any(found.symbol == _MISSING for found in dependencies):
        hint = "Name one in the script, or add a line such as `symbol: BTC/USDT`."
        yield document.problem(path, "the script names no symbol, and neither does the file", hint=hint)
    if any(found.time_frame == _MISSING for found in dependencies):
        hint = "Name one in the script, or add a line such as `time_frame: 1h`."
        yield document.problem(path, "the script names no time frame, and neither does the file", hint=hint)


# How things depend on each other


def _check_account(document: Document, file: AutomationFile) -> Iterator[Problem]:
    configures = any(entry.action for entry in file.actions.values())
    for key in ("credentials", "portfolio"):
        if getattr(file, key) is not None and file.exchange is None and not configures:
            yield document.problem((key,), f"{key} need an exchange", hint="Add `exchange:`.", at_key=True)
    if file.credentials is None:
        return
    if file.portfolio is not None:
        message = "a portfolio is for simulated accounts; a live account has its own"
        yield document.problem(("portfolio",), message, hint="Remove portfolio or credentials.", at_key=True)
    if file.exchange is not None and file.exchange.recorded is not None:
        message = "a recorded market cannot be traded with credentials"
        hint = "Remove recorded or credentials."
        yield document.problem(("exchange", "recorded"), message, hint=hint, at_key=True)


def _check_name(document: Document, file: AutomationFile) -> Iterator[Problem]:
    if file.id is None and not slug(file.name):
        message = f"no id can be made of the name {file.name!r}; give it an `id` of letters and digits"
        yield document.problem(("name",), message, hint="Add a line such as `id: my-automation`.")


def _check_exchange_id(document: Document) -> Iterator[Problem]:
    """Check the name of the exchange, also in a file whose form is wrong elsewhere."""
    entry = document.value.get("exchange") if isinstance(document.value, Mapping) else None
    path: KeyPath = ("exchange",)
    exchange_id = entry
    if isinstance(entry, Mapping):
        path, exchange_id = ("exchange", "id"), entry.get("id")
    known = known_exchange_ids()
    # Anything else than a lower case word is a problem of the form, but for `none`: no exchange.
    if not isinstance(exchange_id, str) or not exchange_id.islower() or exchange_id == "none":
        return
    if known and exchange_id not in known:
        message = f"ccxt knows no exchange '{exchange_id}'; expected an id such as binance, kraken or okx"
        yield document.problem(path, message, hint=did_you_mean(exchange_id, known))


def _check_graph(document: Document, scripts: Mapping[str, CompiledScript]) -> Iterator[Problem]:
    """Check whom actions name, in a file whose form may be wrong elsewhere."""
    actions = _actions(document.value)
    edges: dict[str, list[str]] = {action_id: [] for action_id in actions}
    for path, upstream in _named_actions(actions, scripts):
        action_id = str(path[1])
        if upstream not in actions:
            hint = did_you_mean(upstream, actions)
            yield document.problem(path, f"there is no action {upstream!r}", hint=hint)
        elif path[2] == "then":
            continue
        elif upstream == action_id:
            yield document.problem(path, "an action cannot depend on itself")
        else:
            edges[action_id].append(upstream)
    yield from _cycles(document, edges)


def _named_actions(
    actions: Mapping[str, Any], scripts: Mapping[str, CompiledScript]
) -> Iterator[tuple[KeyPath, str]]:
    """Yield each mention of an action: in `after`, in `then`, and as a `$reference` in a script."""
    for action_id, entry in actions.items():
        base: KeyPath = ("actions", action_id)
        after, then = (entry.get("after"), entry.get("then")) if isinstance(entry, dict) else (None, None)
        for index, upstream in enumerate(after if isinstance(after, list) else [after]):
            if isinstance(upstream, str):
                yield (*base, "after", index), upstream
        if isinstance(then, dict) and isinstance(then.get("restart"), str):
            yield (*base, "then", "restart"), then["restart"]
        if action_id in scripts:
            for upstream in sorted(scripts[action_id].references):
                yield (*base, "run"), upstream


def _cycles(document: Document, edges: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        first = next(action_id for action_id in edges if action_id in cycle)
        start = cycle.index(first)
        path = [*cycle[start:-1], *cycle[:start], first]
        message = f"the actions wait for each other: {' before '.join(path)}"
        yield document.problem(("actions", first), message, at_key=True)


# The state


def _state_of(file: AutomationFile, folder: Path | None) -> dict[str, Any]:
    state: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "automation": {
            "metadata": {"automation_id": file.id or slug(file.name), "name": file.name, "seed": file.seed},
            "defaults": {"symbol": file.symbol, "time_frame": file.time_frame},
            "approval": file.approval,
            "actions_dag": {"actions": [_action(key, entry) for key, entry in file.actions.items()]},
        },
    }
    if file.repeat is not None:
        state["automation"]["schedule"] = file.repeat.model_dump(exclude_none=True)
    if file.exchange is not None:
        state["exchange_account_details"] = {
            "exchange_details": _exchange_details(file.exchange, folder),
            "auth_details": {"credential_ref": file.credentials},
            "portfolio": {
                "content": [
                    {"asset": asset, "total": total} for asset, total in (file.portfolio or {}).items()
                ]
            },
        }
    return state


def _action(action_id: str, entry: ActionEntry) -> dict[str, Any]:
    action: dict[str, Any] = {
        "id": action_id,
        "dsl_script": entry.run,
        "action": entry.action,
        "config": entry.config,
        "dependencies": [{"action_id": upstream} for upstream in dict.fromkeys(entry.after)],
    }
    if entry.then is not None:
        action["reset_target_action_id"] = entry.then.restart
        action["reset_after"] = entry.then.after or 0
    return action


def _exchange_details(entry: ExchangeEntry, folder: Path | None) -> dict[str, Any]:
    details: dict[str, Any] = {
        "internal_name": entry.id,
        "exchange_type": entry.type,
        "sandboxed": entry.sandboxed,
        "url": entry.url,
    }
    if entry.recorded is not None:
        recording = Path(entry.recorded.folder).expanduser()
        details["recorded"] = {
            "folder": str(folder / recording if folder is not None else recording),
            "start": entry.recorded.start,
            "speed": entry.recorded.speed,
        }
    return details


def slug(name: str) -> str:
    """Return a name in the form of an id: lower case, with '-' between its words; nothing if it has none.

    Letters lose their accents. What no Latin letter stands for is told apart by a digest of the name.
    """
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", name.casefold())
        if not unicodedata.combining(letter)
    )
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not words or not any(letter.isalnum() and not letter.isascii() for letter in plain):
        return words
    return f"{words}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
