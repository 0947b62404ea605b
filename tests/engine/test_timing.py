"""Every number that becomes a date or a duration is plausible, or refused with what was probably meant."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from engine.automation_file import AutomationFileError, automation_json_schema, load_automation
from engine.errors import DslError, OctoflowError, StateError
from engine.state import AutomationState, dump_state, load_state
from engine.timing import parse_duration, parse_moment
from tests.support.builders import Invoked, State, action, automation
from tests.support.scripts import run

VALUES = [0, -5, 1e-9, 1e10, 1e12, 1e300, 10**400, math.nan, math.inf, "2025", "99999999w", "", None, True]
FILE = {
    "name": "times",
    "exchange": {"id": "binance", "recorded": {"folder": "nowhere", "start": 1704067200, "speed": 60}},
    "repeat": {"every": 60, "max": 3, "until": 1735689600},
    "portfolio": {"USDT": 1},
    "actions": {"a": {"run": "1"}, "b": {"run": "2", "after": "a", "then": {"restart": "a", "after": 60}}},
}


def numbers(
    schema: dict[str, Any], value: Any, root: dict[str, Any], path: tuple[str | int, ...]
) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of each value of a document that its schema lets be a number."""
    options = [resolved(one, root) for one in flat(schema, root)]
    if any(option.get("type") in ("number", "integer") for option in options):
        yield path
    for option in options:
        for key, inner in option.get("properties", {}).items():
            held = value.get(key) if isinstance(value, dict) else None
            yield from numbers(inner, held, root, (*path, key)) if len(path) < 8 else ()
        if option.get("type") == "array" and isinstance(value, list) and value:
            yield from numbers(option["items"], value[0], root, (*path, 0))
        others = [option.get("additionalProperties"), *option.get("patternProperties", {}).values()]
        for inner in (one for one in others if isinstance(one, dict) and isinstance(value, dict)):
            for key, held in value.items():
                yield from numbers(inner, held, root, (*path, key))


def flat(schema: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    schema = resolved(schema, root)
    if "anyOf" in schema:
        for option in schema["anyOf"]:
            yield from flat(option, root)
    else:
        yield schema


def resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    return root["$defs"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def with_value(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    place = changed
    for key in path[:-1]:
        if isinstance(place, list):
            place = place[key]
        else:
            place[key] = place.get(key) or {}
            place = place[key]
    place[path[-1]] = value
    return changed


SCHEMA = automation_json_schema()
FILE_NUMBERS = sorted(set(numbers(SCHEMA, FILE, SCHEMA, ())), key=str)


def test_the_walk_finds_the_times_of_a_file() -> None:
    assert {
        ("repeat", "every"), ("repeat", "until"), ("exchange", "recorded", "start"),
        ("exchange", "recorded", "speed"), ("actions", "b", "then", "after"),
    } <= set(FILE_NUMBERS)  # fmt: skip


@pytest.mark.parametrize("path", FILE_NUMBERS, ids="-".join)
async def test_a_file_with_any_number_is_refused_or_works(path: tuple[str, ...]) -> None:
    plain = {key: value for key, value in FILE.items() if key != "exchange" or path[0] == "exchange"}
    plain = {key: value for key, value in plain.items() if key != "portfolio" or path[0] in ("exchange", key)}
    if path[0] == "portfolio":
        plain["exchange"] = "binance"
    for value in VALUES:
        try:
            state = load_automation(json.dumps(with_value(plain, path, value)))
        except AutomationFileError:
            continue
        await works(dump_state(state))


STATE: State = {
    "schema_version": 1,
    "automation": {
        "metadata": {"automation_id": "test", "seed": "seed"},
        "actions_dag": {
            "actions": [
                {"id": "a", "dsl_script": "1", "not_before": 5.0},
                {"id": "b", "dsl_script": "2", "reset_target_action_id": "a", "reset_after": 60.0},
                {"id": "c", "dsl_script": "3"},
            ]
        },
        "schedule": {
            "every": 60.0,
            "first_tick": 5.0,
            "last_tick": 5.0,
            "ticks": 1,
            "max": 9,
            "until": 9e9 / 2,
        },
        "execution": {"iteration": 1, "standstill": {"digest": "d", "count": 1, "at": 5.0}},
    },
}
STATE_SCHEMA = AutomationState.model_json_schema()
STATE_NUMBERS = sorted(
    {
        path
        for path in numbers(STATE_SCHEMA, STATE, STATE_SCHEMA, ())
        if not any("exchange_account" in str(part) for part in path)
    },
    key=str,
)


def test_the_walk_finds_the_times_of_a_state() -> None:
    action = ("automation", "actions_dag", "actions", 0)
    schedule = [("automation", "schedule", key) for key in ("every", "first_tick", "last_tick", "until")]
    assert {(*action, "not_before"), (*action, "reset_after"), *schedule} <= set(STATE_NUMBERS)


@pytest.mark.parametrize("path", STATE_NUMBERS, ids=str)
async def test_a_state_with_any_number_is_refused_or_works(path: tuple[Any, ...]) -> None:
    for value in VALUES:
        await works(with_value(STATE, path, value))
    if path[:3] == ("automation", "actions_dag", "actions"):
        await works(with_value(STATE, (*path[:3], 1, path[-1]), 1e12))


@pytest.mark.parametrize("field", ["start", "speed"])
def test_a_recording_in_a_state_has_bounds_too(field: str) -> None:
    details = {"exchange_details": {"internal_name": "binance", "recorded": {"folder": "x", field: 1e12}}}
    with pytest.raises(StateError, match=f"recorded.{field}"):
        load_state({**STATE, "exchange_account_details": details})


async def works(state: State) -> None:
    """Run an automation for some rounds; what is refused is refused with an error of the engine."""
    run_ = Invoked(state)
    now = 1_700_000_000.0
    if "exchange_account_details" in state:
        load_state(state)
        return
    try:
        for _ in range(3):
            outcome = await run_.invoke(now=now)
            if outcome.next_due_at is None:
                return
            assert now <= outcome.next_due_at < 1e11
            now = outcome.next_due_at
            json.dumps(run_.state, allow_nan=False)
    except StateError:
        assert run_.outcome is None, "the engine wrote a state that it does not read"
    except OctoflowError:
        return


@pytest.mark.parametrize(
    "call",
    [
        "wait({})",
        "wait(0, {})",
        "loop_until(False, {})",
        "loop_until(False, 60, timeout={})",
        "restart('a', {})",
    ],
)
def test_a_call_with_any_delay_is_refused_or_works(call: str) -> None:
    for value in (*VALUES[:6], "float('nan')", "float('inf')", "'2025'", "'99999999w'", "seconds('1d')"):
        for text in (call.format(value), call.format("$x")):
            try:
                outcome = run(text, references={"x": value})
            except DslError:
                continue
            json.dumps(getattr(outcome, "suspension", None), allow_nan=False)


@pytest.mark.parametrize("script", ["wait({})", "loop_until(False, {})", "restart('b', {})"])
@pytest.mark.parametrize("delay", [0, 1e-9, 60, 3e9, 3155760000, 5e9, 9.9e9])
async def test_a_state_with_a_delay_that_was_accepted_loads_again(script: str, delay: float) -> None:
    await works(automation(action("a", script.format(delay)), action("b", "1")))


def test_a_delay_in_milliseconds_is_told() -> None:
    with pytest.raises(DslError) as refused:
        run("wait(14400000000)")
    assert refused.value.suggestion == "This looks like milliseconds: write 14400000."
    with pytest.raises(DslError, match="longer than a hundred years"):
        run("seconds('99999999w')")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (2025, "looks like a year, write 2025-01-01"),
        (1735689600000, "looks like milliseconds, write 1735689600"),
        (5, "not a moment in UNIX seconds"),
        (math.nan, "not a moment"),
        (1e300, "not a moment"),
        ("2025", "not a date"),
        ("9999-12-31", "up to the year 2200"),
        (8e9, "not a moment"),
        ("0001-01-01T00:00:00+14:00", "not a"),
    ],
)
def test_a_moment_that_cannot_be_meant_says_what_may_be(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_moment(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (14_400_000_000, "looks like milliseconds, write 14400000"),
        ("99999999w", "'99999999w'.*longer than a hundred years"),
        (1e-9, "too short: at least 1 s"),
        ("0.5s", "too short: at least 1 s"),
        (math.inf, "not a duration"),
        (True, "not a duration"),
        ("9" * 5000 + "w", "not a duration"),
    ],
)
def test_a_duration_that_cannot_be_meant_says_what_may_be(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_duration(value, least=1)


def test_an_error_names_the_field() -> None:
    for path in (("repeat", "until"), ("repeat", "every"), ("exchange", "recorded", "start")):
        with pytest.raises(AutomationFileError, match=path[-1]):
            load_automation(json.dumps(with_value(FILE, path, 1e12)))
    with pytest.raises(StateError, match=r"automation\.schedule\.until: .*milliseconds"):
        load_state(with_value(STATE, ("automation", "schedule", "until"), 1735689600000))
