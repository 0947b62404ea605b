"""What happens to orders and effects when `apply_configuration` gives an automation another account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.builders import NOW, action, paper
from tests.support.live_job import LiveRun

BUY = "limit('buy', 'BTC/USDT', 0.001, 40000)"
CREDENTIALS = {"auth_details": {"credential_ref": "env:KEYS"}}


def switch(*after: str, **details: Any) -> dict[str, Any]:
    """The action that changes the account."""
    edges = [{"action_id": upstream} for upstream in after]
    config = {"exchange_account_details": details}
    return {"id": "switch", "action": "apply_configuration", "config": config, "dependencies": edges}


async def went_live(*actions: dict[str, Any], run_key: str = "run") -> LiveRun:
    """An automation that has begun on paper, and whose first invocation gave it credentials."""
    run = LiveRun(*actions)
    run.services = replace(run.services, market_source=lambda _: run.exchange.market)
    run.state = paper(run.state, {"USDT": 1_000})
    run.state["automation"]["metadata"] |= {"run_key": run_key, "seed": "the same in every run"}
    await run.invoke(NOW)
    return run


async def test_orders_behind_the_switch_to_a_live_account_are_named_by_the_run_and_not_by_the_seed() -> None:
    names = set()
    for run_key in ("first", "second"):
        run = await went_live(switch(**CREDENTIALS), action("buy", BUY, "switch"), run_key=run_key)
        await run.settle(NOW)
        names |= {order["client_order_id"] for order in run.open_orders}

    assert len(names) == 2


async def test_an_invocation_that_began_on_paper_places_nothing_on_the_live_account() -> None:
    run = await went_live(action("paper", BUY), switch("paper", **CREDENTIALS), action("live", BUY, "switch"))
    assert (run.completed, len(run.open_orders)) == (["paper", "switch"], 1)

    await run.settle(NOW)

    assert run.kinds_sent == ["create_order"]
    assert [order["id"] for order in run.open_orders] == ["1"]


@pytest.mark.parametrize(
    "details",
    [{"exchange_details": {"internal_name": "okx"}}, {"auth_details": {"credential_ref": None}}],
    ids=["another exchange", "paper"],
)
async def test_another_account_is_refused_while_orders_stand_on_this_one(details: dict[str, Any]) -> None:
    run = LiveRun(action("buy", BUY), switch("buy", **details))

    await run.settle(NOW)

    assert run.action("switch")["error_status"] == "invalid_config"
    assert len(run.open_orders) == 1


async def test_another_account_is_refused_while_effects_are_under_way() -> None:
    run = LiveRun(action("buy", BUY), approval="required")
    await run.invoke(NOW)

    moving = switch(exchange_details={"exchange_type": "future"})
    await run.invoke(NOW + 1, priority_actions=[moving])

    assert run.action("switch")["error_status"] == "invalid_config"


async def test_a_new_key_of_the_same_account_is_taken_at_any_time() -> None:
    run = LiveRun(action("buy", BUY), switch("buy", auth_details={"credential_ref": "env:NEWER"}))

    await run.settle(NOW)

    assert run.action("switch").get("error_status") is None
    assert len(run.open_orders) == 1
