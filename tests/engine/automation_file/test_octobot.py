"""States of OctoBot: what is kept of them, what is said of the rest, and that they run on."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.automation_file import Imported, import_octobot
from engine.dsl import Done, DSLExecutor, ScriptContext, compile_script
from engine.errors import ConfigurationError, OctoflowError, StateError
from engine.job.outcome import InvocationStatus
from engine.operators import default_registry
from engine.state import TriggerReason, dump_state, load_state
from tests.conftest import REPOSITORY
from tests.support.builders import Invoked
from tests.support.octobot import NAMES, action_of, imported, said, sample

MARKET = str(REPOSITORY / "examples" / "sample_market")

LAST_RUN = 1_704_891_002.0
DUE = LAST_RUN + 85_000


def on_sample_market(found: Imported) -> Invoked:
    """The imported state, on the recorded market of the examples."""
    state = dump_state(found.state)
    state["exchange_account_details"]["exchange_details"]["recorded"] = {"folder": MARKET}
    return Invoked(state)


def waiting_script(script: str, **last: Any) -> dict[str, Any]:
    """A state with one script, whose `wait` was called last at 1000 and is due at 1060."""
    last = {"waiting_time": 60.0, "last_execution_time": 1_000.0, **last}
    recall = {"ReCallingOperatorResult": {"keyword": "wait", "last_execution_result": last}}
    action = {"id": "a", "dsl_script": script, "previous_execution_result": recall}
    return {"automation": {"metadata": {"automation_id": "x"}, "actions_dag": {"actions": [action]}}}


# A state goes on where it stood


async def test_a_running_wait_is_due_when_it_was() -> None:
    run = on_sample_market(imported("waiting"))

    early = await run.invoke(now=DUE - 3_600)
    assert (early.next_due_at, early.executed_count) == (DUE, 0)
    assert run.completed == ["init", "buy"]

    await run.invoke(now=DUE)
    assert run.completed == ["init", "buy", "rest", "cancel"]
    assert run.statuses == [None] * 4
    assert len(run.result("cancel")["cancelled_orders"]) == 1


async def test_open_orders_fill_from_the_last_run_on_and_their_exits_appear() -> None:
    def cheap(raw: dict[str, Any]) -> None:
        (stored,) = raw["automation"]["exchange_account_elements"]["orders"]["open_orders"]
        stored["origin_value"]["price"] = 1_000_000.0
        for order in (stored, *stored["co"]):
            order["origin_value"]["amount"] = 0.0005

    run = on_sample_market(imported("waiting", cheap))
    await run.invoke(now=DUE - 3_600, trigger=TriggerReason.FORCED)
    elements = run.state["automation"]["exchange_account_elements"]
    assert elements["trades"][0]["timestamp"] > LAST_RUN
    exits = elements["orders"]["open_orders"]
    assert [order["type"] for order in exits] == ["stop_loss", "limit"]
    assert {order["group"] for order in exits} == {"OneCancelsTheOtherOrderGroup:g-1"}


async def test_an_initial_configuration_of_octobot_sets_the_account_up() -> None:
    found = imported("first_shape")
    raw = dump_state(found.state)
    config = raw["automation"]["actions_dag"]["actions"][0]["config"]
    config["exchange_account_details"]["exchange_details"]["recorded"] = {"folder": MARKET}
    run = Invoked(raw)
    await run.invoke(now=LAST_RUN)
    outcome = await run.invoke(now=LAST_RUN + 1)
    assert outcome.status is InvocationStatus.FINISHED
    held = run.state["automation"]["exchange_account_elements"]["portfolio"]["content"]
    assert Decimal(held["USDT"]["total"]) < 1_000
    assert held["ETH"]["total"] == "0.1"


def test_a_loop_keeps_its_cadence_its_attempts_and_its_timeout() -> None:
    watch = action_of(imported("live"), "watch")
    assert watch.not_before == 1_704_919_802.0
    assert watch.suspension is not None
    last = watch.suspension["operator_state"]["ReCallingOperatorResult"]["last_execution_result"]
    assert (last["started"], last["attempts"]) == (1_704_891_002.0, 2)
    script = compile_script(watch.dsl_script or "", default_registry())
    assert DSLExecutor(script, ScriptContext(now=0)).resumes(watch.suspension)


def test_a_condition_before_a_wait_stays_decided() -> None:
    found = import_octobot(waiting_script("wait(50, 100) if now_ms() < 2000000 else 'late'"))
    (action,) = found.state.actions
    script = compile_script(action.dsl_script or "", default_registry())
    ran = DSLExecutor(script, ScriptContext(now=5_000.0)).execute_sync(action.suspension)
    assert ran == Done(None)
    assert (action.not_before, found.notes) == (1_060.0, ())


def test_what_is_bound_to_a_script_is_there_when_it_goes_on() -> None:
    raw = waiting_script("[UNRESOLVED_PARAMETER, $up.x, wait(60)]")
    edge = {"action_id": "up", "parameter": "seconds", "result_path": ["x"]}
    raw["automation"]["actions_dag"]["actions"][0] |= {
        "dsl_script": "[$up.x, wait(60)]",
        "dependencies": [edge],
    }
    up = {"id": "up", "dsl_script": "{'x': 7}", "result": {"x": 7}, "executed_at": 900.0}
    raw["automation"]["actions_dag"]["actions"].insert(0, up)
    action = action_of(import_octobot(raw), "a")
    script = compile_script(action.dsl_script or "", default_registry())
    ran = DSLExecutor(script, ScriptContext(now=1_060.0)).execute_sync(action.suspension)
    assert ran == Done([7, None])


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("[wait(60), wait(60)]", "which wait() of the script it is cannot be told"),
        ("[market('buy', 'BTC/USDT', 1), wait(60)]", "what it did happens AGAIN then"),
        ("[price('BTC/USDT'), wait(60)]", "what the script needs to get to wait() is not stored"),
        ("wait(60) if now() > 2000 else 0", "the script does not get to wait() again"),
        ("wait(60", "the script does not compile here"),
    ],
)
def test_where_a_call_cannot_be_found_its_due_time_is_kept_and_that_is_said(
    script: str, message: str
) -> None:
    found = import_octobot(waiting_script(script))
    (action,) = found.state.actions
    assert (action.not_before, action.suspension) == (1_060.0, None)
    assert message in said(found)
    assert "due when it was" in said(found)


def test_effects_before_a_wait_do_not_happen_again_where_octobot_tells_what_is_left() -> None:
    script = "[market('buy', 'BTC/USDT', 1), wait(60)]"
    found = import_octobot(waiting_script(script, script_override="wait(60, None, True)"))
    (action,) = found.state.actions
    assert action.dsl_script == "wait(60, None, True)"
    assert action.suspension is not None
    assert "what was left is kept of it" in said(found)


# What is kept


@pytest.mark.parametrize("name", NAMES)
def test_an_imported_state_loads_and_dumps_to_itself(name: str) -> None:
    dumped = dump_state(imported(name).state)
    assert dump_state(load_state(json.loads(json.dumps(dumped)))) == dumped


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("scheduled", TriggerReason.SCHEDULED),
        ("custom_action", TriggerReason.MESSAGE),
        ("configuration_update", TriggerReason.MESSAGE),
        ("signal", TriggerReason.SIGNAL),
        (None, None),
    ],
)
def test_every_reason_of_octobot_has_one_here(theirs: str | None, ours: TriggerReason | None) -> None:
    def with_reason(raw: dict[str, Any]) -> None:
        raw["automation"]["execution"]["previous_execution"]["trigger_reason"] = theirs

    found = imported("waiting", with_reason)
    assert found.state.automation.execution.previous_execution.trigger_reason is ours
    assert "trigger_reason" not in said(found)


def test_error_statuses_are_mapped() -> None:
    failed = action_of(imported("futures"), "failed")
    assert (failed.error_status, failed.failed) == ("incompatible_trading_type", True)


def test_results_keep_their_type_and_a_recall_is_no_result() -> None:
    raw = waiting_script("1")
    (action,) = raw["automation"]["actions_dag"]["actions"]
    action |= {"executed_at": 5.0, "result": {"$dec": "x", "n": [1.5, float("inf")]}}
    (kept,) = import_octobot(raw).state.actions
    assert kept.previous_execution_result is None
    run = Invoked(dump_state(import_octobot(raw).state))
    assert run.result("a") == {"$dict": [["$dec", "x"], ["n", [1.5, {"$float": "inf"}]]]}


# What is said


def test_everything_of_a_paper_account_is_kept_but_one_thing() -> None:
    assert [note.path for note in imported("waiting").notes] == [
        "automation.exchange_account_elements.portfolio.initial_value"
    ]


def test_unknown_fields_are_noted_once_each() -> None:
    def with_unknown(raw: dict[str, Any]) -> None:
        raw["automation"]["novelty"] = 1
        for action in raw["automation"]["actions_dag"]["actions"]:
            action["shiny"] = True

    notes = imported("waiting", with_unknown).notes
    paths = [note.path for note in notes if "not known here" in note.message]
    assert paths == ["automation.actions_dag.actions.0.shiny", "automation.novelty"]


def test_secrets_are_nowhere() -> None:
    def in_a_script(raw: dict[str, Any]) -> None:
        raw["automation"]["actions_dag"]["actions"][0]["dsl_script"] = "'key-0123456789'"

    for found in (imported("live", in_a_script), imported("futures")):
        everything = json.dumps(dump_state(found.state)) + said(found)
        assert not any(secret in everything for secret in ("0123456789", "hunter2"))


def test_a_live_account_stays_one_and_looks_for_its_keys_where_it_is_told() -> None:
    untold = imported("live").state.exchange_account_details
    assert untold is not None
    assert untold.auth_details.credential_ref == "env:OCTOBOT"
    told = imported("live", credentials="env:BINANCE").state
    assert told.is_live
    assert told.exchange_account_details is not None
    assert told.exchange_account_details.auth_details.credential_ref == "env:BINANCE"
    with pytest.raises(ConfigurationError, match="no reference"):
        imported("live", credentials="BINANCE")


def test_a_simulated_account_never_becomes_a_live_one() -> None:
    assert not imported("waiting", credentials="env:BINANCE").state.is_live


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({}, "no state of OctoBot"),
        ([], "JSON object, not list"),
        ({"schema_version": 1, "automation": {}}, "Octoflow already"),
        ({"automation": {"metadata": {"name": "\ud800"}}}, "half a character"),
        ({"automation": {"x": 1 << 5_000}}, "a whole number"),
    ],
)
def test_what_is_no_state_of_octobot_is_refused(raw: Any, message: str) -> None:
    with pytest.raises(StateError, match=message):
        import_octobot(raw)


def test_a_state_that_is_nested_too_deep_is_refused() -> None:
    deep: Any = 1
    for _ in range(50_000):
        deep = [deep]
    with pytest.raises(StateError, match="nested more than 100"):
        import_octobot({"automation": {"x": deep}})


# Whatever it is given

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All places of a JSON document but the whole of it."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in items for place in ((*path, key), *places(item, (*path, key)))]


def put(document: Any, place: tuple[Any, ...], value: Any) -> None:
    for key in place[:-1]:
        document = document[key]
    document[place[-1]] = value


STATES = {name: sample(name) for name in NAMES}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_mutilated_state_is_imported_or_refused(data: st.DataObject) -> None:
    raw = copy.deepcopy(STATES[data.draw(st.sampled_from(NAMES))])
    for _ in range(data.draw(st.integers(1, 4))):
        put(raw, data.draw(st.sampled_from(places(raw))), data.draw(_json))
    try:
        found = import_octobot(raw)
    except OctoflowError:
        return
    dumped = dump_state(found.state)
    json.dumps(dumped, ensure_ascii=False).encode()
    assert dump_state(load_state(dumped)) == dumped


@settings(max_examples=200, deadline=None)
@given(_json)
def test_any_json_is_imported_or_refused(value: Any) -> None:
    for raw in (value, {"automation": value}, {"automation": {"actions_dag": {"actions": [value]}}}):
        try:
            import_octobot(raw)
        except OctoflowError:
            continue


# A state of OctoBot given straight to the engine


@pytest.mark.parametrize("name", ["waiting", "first_shape", "live"])
def test_the_engine_says_how_a_state_of_octobot_gets_in(name: str) -> None:
    with pytest.raises(StateError, match="octoflow import octobot"):
        load_state(sample(name))


def test_a_reason_of_octobot_alone_tells() -> None:
    raw = {"automation": {"execution": {"current_execution": {"trigger_reason": "custom_action"}}}}
    with pytest.raises(StateError, match="octoflow import octobot"):
        load_state(raw)
