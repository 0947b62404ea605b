"""The first run of an automation: its account is set up before anything else."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InitializationRunFailedError
from tests.support.builders import NOW, Invoked, action, automation


def configure(name: str = "init", **config: object) -> dict[str, Any]:
    return {"id": name, "action": "apply_configuration", "config": config}


async def test_the_first_run_sets_the_account_up_and_nothing_else() -> None:
    details = {
        "exchange_details": {"internal_name": "binance"},
        "portfolio": {"content": [{"asset": "USDT", "total": "1000"}]},
    }
    run = Invoked(automation(configure(exchange_account_details=details), action("a", "1")))

    outcome = await run.invoke(now=NOW)

    assert run.completed == ["init"]
    assert outcome.next_due_at == NOW
    assert run.state["exchange_account_details"]["exchange_details"]["internal_name"] == "binance"


async def test_two_configurations_on_the_first_run_are_refused() -> None:
    with pytest.raises(InitializationRunFailedError, match="'one', 'two'"):
        await Invoked(automation(configure("one"), configure("two"))).invoke()


async def test_an_account_that_is_still_missing_is_refused_if_the_dag_needs_one() -> None:
    with pytest.raises(InitializationRunFailedError, match="'a' needs an exchange account"):
        await Invoked(automation(configure(), action("a", "total('BTC')"))).invoke()


async def test_an_automation_without_exchange_needs_no_account() -> None:
    run = Invoked(automation(configure(automation={"metadata": {"name": "n"}}), action("a", "1")))

    await run.invoke()
    await run.invoke()

    assert run.completed == ["init", "a"]
    assert run.state["automation"]["metadata"]["name"] == "n"


async def test_a_configuration_with_unknown_keys_is_refused() -> None:
    with pytest.raises(InitializationRunFailedError, match=r"cannot set automation\.execution"):
        await Invoked(automation(configure(automation={"execution": {}}))).invoke()


async def test_an_unknown_configured_action_ends_with_its_status() -> None:
    run = Invoked(automation({"id": "a", "action": "make_money"}))

    await run.invoke()

    assert run.statuses == ["unsupported_action_type"]
