"""The state's JSON form: what loads, what is dumped, what is refused."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SchemaVersionError, StateError
from engine.state import ExchangeAccountElements, Trade, dump_state, load_state
from engine.values import decode_value, encode_value, format_decimal, plain_value, short_decimal
from tests.support.builders import action, automation, paper


def test_fields_at_their_default_are_left_out_at_every_level() -> None:
    execution = {"iteration": 0, "previous_execution": {"scheduled_to": 0}}
    state = automation(action("a", "1"), execution=execution)

    assert dump_state(load_state(state))["automation"] == {
        "metadata": {"automation_id": "test", "seed": "seed"},
        "actions_dag": {"actions": [{"id": "a", "dsl_script": "1"}]},
    }


def test_results_that_look_empty_are_kept() -> None:
    results = enumerate([0, False, "", []])
    state = automation(*(action(f"a{n}", "1", result=result, executed_at=1.0) for n, result in results))

    dumped = dump_state(load_state(state))["automation"]["actions_dag"]["actions"]

    assert [one["result"] for one in dumped] == [0, False, "", []]


def test_loading_and_dumping_a_dumped_state_gives_the_same_bytes() -> None:
    actions = action("a", "1", "b"), action("b", "2", not_before=3.5)
    state = paper(automation(*actions), {"BTC": "1.50", "USDT": 1e3})

    once = json.dumps(dump_state(load_state(state)))

    assert json.dumps(dump_state(load_state(json.loads(once)))) == once
    assert '"total": "1.5"' in once


def test_a_state_with_fields_that_this_release_has_no_more_loads() -> None:
    state = paper(automation(action("a", "1")), {"USDT": 1})
    state["automation"]["execution"] = {"iteration": 3, "execution_error": "the exchange was away"}
    state["exchange_account_details"]["metadata"] = {"updated_at": 1_600_000_000.0, "name": "mine"}

    loaded = load_state(state)

    assert loaded.automation.execution.iteration == 3
    assert loaded.exchange_account_details is not None
    assert loaded.exchange_account_details.metadata.name == "mine"


def test_a_newer_schema_is_refused() -> None:
    with pytest.raises(SchemaVersionError, match="schema version 2, this release reads up to 1"):
        load_state({"schema_version": 2})


def test_an_older_schema_is_migrated_step_by_step() -> None:
    migrations = {
        1: lambda raw: {"automation": {"metadata": {"automation_id": raw["id"]}}},
        2: lambda raw: {**raw, "priority_actions": [action("p", "1")]},
    }

    state = load_state({"schema_version": 1, "id": "old"}, migrations=migrations)

    assert state.schema_version == 3
    assert state.automation.metadata.automation_id == "old"
    assert state.priority_actions[0].id == "p"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ([], "a state is a JSON object, not list"),
        ({"schema_version": "one"}, "schema_version is 'one'"),
        (automation({"id": "a"}), "action 'a' needs either dsl_script or action, and has neither"),
        (automation({"id": "a", "dsl_script": "1", "action": "x"}), "action 'a' needs .* and has both"),
        (automation({"dsl_script": "1"}), r"automation\.actions_dag\.actions\.0\.id: Field required"),
    ],
)
def test_what_is_no_state_is_refused_with_its_path(raw: object, message: str) -> None:
    with pytest.raises(StateError, match=message):
        load_state(raw)  # type: ignore[arg-type]  # that is the point


def test_a_recorded_market_with_credentials_is_refused() -> None:
    state = paper(automation(), {}, recorded={"folder": "x"})
    state["exchange_account_details"]["auth_details"] = {"credential_ref": "env:X"}

    with pytest.raises(StateError, match="recorded market cannot be traded with credentials"):
        load_state(state)


def test_the_newest_trades_are_kept_and_what_is_cut_off_is_counted() -> None:
    trade = {"symbol": "BTC/USDT", "side": "buy", "type": "market", "amount": 1, "price": 1, "cost": 1}
    elements = ExchangeAccountElements(
        trades=[Trade.model_validate({**trade, "id": str(n), "timestamp": n}) for n in range(230)]
    )

    assert elements.cut_to_bounds() == {"trades": 30}
    assert (elements.trades[0].id, elements.trades[-1].id) == ("30", "229")


def test_at_most_20_completed_priority_actions_are_kept() -> None:
    state = load_state(
        {
            **automation(),
            "priority_actions": [action(f"p{n}", "1", executed_at=float(n)) for n in range(25)]
            + [action("open", "1")],
        }
    )

    assert state.cut_priority_actions() == 5
    assert [one.id for one in state.priority_actions][:1] == ["p5"]
    assert [one.id for one in state.priority_actions][-1:] == ["open"]


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**256), max_value=2**256)
    | st.floats(allow_nan=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=5) | st.sampled_from(["$dec", "$series", "$dict"]), inner, max_size=4
        )
        | st.dictionaries(st.integers(), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(_VALUES)
def test_values_keep_their_type_through_json(value: object) -> None:
    again = decode_value(json.loads(json.dumps(encode_value(value))))

    assert again == value
    assert type(again) is type(value)


def test_series_and_odd_floats_keep_their_type() -> None:
    again = decode_value(json.loads(json.dumps(encode_value([np.array([1.5, np.nan]), float("-inf")]))))

    assert isinstance(again[0], np.ndarray)
    assert again[0][0] == 1.5
    assert np.isnan(again[0][1])
    assert again[1] == float("-inf")


def test_people_see_decimals_as_text_and_nan_as_null() -> None:
    value = {"amount": Decimal("1.50"), "series": np.array([1.0, np.nan]), "nothing": float("nan")}

    assert plain_value(value) == {"amount": "1.5", "series": [1.0, None], "nothing": None}


@pytest.mark.parametrize(
    ("value", "text"),
    [("1E+3", "1000"), ("0.000100", "0.0001"), ("-0", "0"), ("100", "100"), ("1E-10", "0.0000000001")],
)
def test_decimals_are_written_without_exponent_and_padding(value: str, text: str) -> None:
    assert format_decimal(Decimal(value)) == text


def test_messages_show_twelve_digits_of_an_exact_quotient() -> None:
    assert short_decimal(Decimal(10) / Decimal("47132.78")) == "0.000212166564332"
