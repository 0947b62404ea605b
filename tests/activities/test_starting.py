"""What is told of an automation before it is started."""

from __future__ import annotations

import pytest

from activities.starting import start_of
from engine.errors import NoAutomationError
from engine.state import dump_state, load_state
from tests.support.builders import action, automation, paper
from tests.support.intents import create


def test_the_state_is_sent_as_it_is_and_what_matters_of_it_is_told() -> None:
    effect = create().model_dump(mode="json")
    raw = automation(action("a", "1"), execution={"pending_effects": [effect, {**effect, "key": "k2"}]})
    raw["automation"]["metadata"]["name"] = "dip buyer"
    state = load_state(raw)

    start = start_of(state)

    assert start.state == dump_state(state)
    assert (start.automation_id, start.name, start.pending_effects) == ("test", "dip buyer", 2)
    assert not start.holds_keys


@pytest.mark.parametrize("where", ["account", "configuration", "priority action"])
@pytest.mark.parametrize("field", ["api_key", "api_secret", "api_password", "access_token"])
def test_keys_are_noticed_wherever_they_lie(where: str, field: str) -> None:
    account = {"auth_details": {field: "canary"}}
    sets_up = {"id": "c", "action": "apply_configuration", "config": {"exchange_account_details": account}}
    raw = automation(action("a", "1"), *([sets_up] if where == "configuration" else []))
    raw["priority_actions"] = [sets_up] if where == "priority action" else []
    if where == "account":
        raw["exchange_account_details"] = account

    assert start_of(load_state(raw)).holds_keys


@pytest.mark.parametrize(
    "config", [None, {}, {"exchange_account_details": None}, {"exchange_account_details": [1]}]
)
def test_a_reference_is_no_key(config: object) -> None:
    sets_up = {"id": "c", "action": "apply_configuration", "config": config}
    raw = paper(automation(action("a", "1"), sets_up), {"USDT": 1})
    raw["exchange_account_details"]["auth_details"] = {"credential_ref": "env:KEYS", "api_key": ""}

    assert not start_of(load_state(raw)).holds_keys


def test_an_automation_without_an_id_is_not_started() -> None:
    with pytest.raises(NoAutomationError):
        start_of(load_state({}))
