"""An invocation keeps what a newer release wrote about everything that is still there behind it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.job.configuration import apply_configuration
from engine.job.edit import apply_edit
from engine.job.services import Services
from engine.market.market import Market
from engine.state import Position, dump_state, load_state
from engine.types import Asset, Symbol
from tests.support.builders import NOW, Invoked, action, automation, paper
from tests.support.live_job import LiveRun
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import BTC, MemoryMarket
from tests.support.state_tree import in_full, models, objects, planted, pruned, unknown_in

HOUR = 3_600.0
PERPETUAL = Symbol("BTC/USDT:USDT")
FUTURE = Market(PERPETUAL, Asset("BTC"), Asset("USDT"), maker=Decimal(0), taker=Decimal(0), kind="future")
EXITS = "stop_loss_price='-10%', take_profit_prices=['5%', '10%']"
LADDER = f"limit('buy', 'BTC/USDT', '100q', '-1%', {EXITS})"

REPLACED = {"current_execution", "previous_execution", "standstill"}
"""These are of the last invocation: each one has its own."""


class PaperRun(Invoked):
    """An automation on paper, on a spot market of 100 or a perpetual."""

    def __init__(self, *actions: dict[str, Any], kind: str = "spot") -> None:
        prices = {"BTC/USDT": 100} if kind == "spot" else {PERPETUAL: 100, "BTC/USDT": 100}
        self.market = MemoryMarket(prices, markets=[FUTURE] if kind == "future" else [])
        state = automation(*actions, defaults={"symbol": "BTC/USDT"}, schedule={"every": 86_400})
        account = paper(
            state, {"USDT": 1_000, "BTC": 1}, exchange_type=kind, recorded={"folder": "of its test"}
        )
        super().__init__(account, Services(market_source=lambda _: self.market))


async def spot() -> PaperRun:
    run = PaperRun(
        action("bought", "market('buy', 'BTC/USDT', '100q')"),
        action("ladder", LADDER),
        action("failed", "1 / 0"),
        action("waits", "wait(3600)", "ladder"),
        action("later", "limit('sell', 'BTC/USDT', 0.1, '5%')", "waits"),
    )
    await run.invoke(NOW, priority_actions=[action("looks", "1")])
    await run.invoke(NOW + 1)
    sent = {"txid": "1", "kind": "withdrawal", "asset": "BTC", "amount": "1", "fee": {"cost": "0.1"}}
    run.state["automation"]["exchange_account_elements"]["transactions"] = [sent]
    return run


async def asked() -> PaperRun:
    """A priority action waits, and holds the others back."""
    run = await spot()
    await run.invoke(NOW + 1, priority_actions=[action("moment", "wait(7200)")])
    return run


async def filled() -> PaperRun:
    """The price has come to the entry of the ladder."""
    run = await spot()
    run.market.prices[BTC] = Decimal(98)
    return run


async def exits() -> PaperRun:
    """The exits of the ladder are open."""
    run = await filled()
    await run.invoke(NOW + 2)
    return run


async def future() -> PaperRun:
    trades = [f"market('{side}', 'BTC/USDT:USDT', 1)" for side in ("buy", "sell", "buy")]
    run = PaperRun(
        action("leverage", "set_leverage('BTC/USDT:USDT', 5)"),
        action("opened", trades[0], "leverage"),
        action("rests", "limit('sell', 'BTC/USDT:USDT', 1, '5%')", "opened"),
        action("waits", "wait(3600)", "rests"),
        action("more", "market('buy', 'BTC/USDT:USDT', 0.5)", "waits"),
        kind="future",
    )
    await run.invoke(NOW)
    return run


async def closed_future() -> PaperRun:
    run = PaperRun(
        action("opened", "market('buy', 'BTC/USDT:USDT', 1)"),
        action("waits", "wait(3600)", "opened"),
        action("closed", "market('sell', 'BTC/USDT:USDT', 1)", "waits"),
        kind="future",
    )
    await run.invoke(NOW)
    return run


async def live() -> LiveRun:
    run = LiveRun(
        action("bought", "market('buy', 'BTC/USDT', 0.001)"),
        action("rests", f"limit('buy', 'BTC/USDT', 0.001, '-1%', {EXITS})", "bought"),
        action("waits", "wait(3600)", "rests"),
        action("later", "limit('sell', 'BTC/USDT', 0.01, '5%')", "waits"),
        approval="required",
    )
    for _ in range(2):
        await run.settle(NOW)
        await run.invoke(NOW + 1, approved=[intent["key"] for intent in run.pending])
        await run.settle(NOW + 1)
    await run.settle(NOW + HOUR + 1)
    return run


async def live_filled() -> LiveRun:
    """The entry has filled, and its exits are about to be planned."""
    run = await live()
    entry = next(one for one in run.exchange.orders.values() if one.status == "open")
    run.exchange.fill(entry.id)
    return run


async def live_exits() -> LiveRun:
    """The exits stand, in the book and beside it."""
    run = await live_filled()
    for _ in range(3):
        asked = [intent["key"] for intent in run.pending if intent.get("status") == "awaiting_approval"]
        await run.invoke(NOW + HOUR + 2, approved=asked)
    return run


async def live_future() -> LiveRun:
    exchange = MemoryExchange({PERPETUAL: 100, "BTC/USDT": 100}, markets=[FUTURE])
    held = Position(symbol=PERPETUAL, side="long", amount=Decimal(1), entry_price=Decimal(90))
    exchange.open_positions.append(held)
    run = LiveRun(
        action("opened", "limit('buy', 'BTC/USDT:USDT', 1, '-5%')"),
        action("waits", "wait(3600)", "opened"),
        exchange=exchange,
    )
    run.state["exchange_account_details"]["exchange_details"]["exchange_type"] = "future"
    await run.settle(NOW)
    return run


async def standing_still() -> Invoked:
    """It is due at once, and nothing changes."""
    run = Invoked(automation(action("a", "loop_until(False, 0)")))
    await run.invoke(NOW)
    return run


SCENES: list[Callable[[], Awaitable[Invoked]]] = [
    spot,
    asked,
    filled,
    exits,
    future,
    closed_future,
    live,
    live_filled,
    live_exits,
    live_future,
    standing_still,
]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
@pytest.mark.parametrize("hours", [0, 2])
async def test_what_is_still_there_keeps_its_unknown_fields(
    scene: Callable[[], Awaitable[Invoked]], hours: int
) -> None:
    now = NOW + HOUR + 3 + hours * HOUR
    plain, run = await scene(), await scene()
    run.state = planted(in_full(run.state))
    before = unknown_in(run.state)

    await plain.invoke(now)
    await run.invoke(now)

    assert json.dumps(in_full(pruned(run.state))) == json.dumps(in_full(plain.state)), "they are read"
    after = unknown_in(in_full(run.state))
    kept = {identity for identity in before.keys() & after.keys() if not REPLACED & set(identity)}
    assert {identity: after[identity] for identity in kept} == {
        identity: before[identity] for identity in kept
    }
    new = [one for one in after.keys() - kept if after[one] and one[0] != "Order"]
    assert new == [], "what is new has none, but the orders that take the place of others"


async def test_these_scenes_hold_one_of_everything() -> None:
    found = {model for scene in SCENES for model, _, _ in objects(in_full((await scene()).state))}

    assert {model.__name__ for model in models() - found} == set()


async def test_what_people_send_has_no_unknown_fields() -> None:
    run = Invoked(automation(action("a", "1")))
    edge = {"action_id": "a", "later": 1}

    await run.invoke(NOW, priority_actions=[action("asked", "2", dependencies=[edge], later={"x": 1})])

    assert "later" not in json.dumps(run.state)


async def test_scripts_see_no_unknown_fields() -> None:
    run = await spot()
    run.state = planted(in_full(run.state))

    await run.invoke(NOW + 2, priority_actions=[action("sees", "open_orders()")])

    assert run.result("sees")
    assert "later" not in json.dumps(run.result("sees"))


@pytest.mark.parametrize("scene", [spot, live_exits], ids=lambda scene: scene.__name__)
async def test_an_edit_keeps_the_unknown_fields_of_what_it_does_not_remove(
    scene: Callable[[], Awaitable[Invoked]],
) -> None:
    run = await scene()
    state = planted(in_full(run.state))
    anew = [action("later", "2", "waits", "bought"), action("added", "3", "later")]

    edited = dump_state(apply_edit(load_state(state), anew, ["failed"] * (scene is spot), restart=["waits"]))

    before, after = unknown_in(state), unknown_in(in_full(edited))
    assert {one for one in after if not after[one]} == {
        ("Action", "added"),
        ("Action", "added", "dependencies", "later"),
        ("Action", "later", "dependencies", "bought"),
    }
    kept = before.keys() & after.keys()
    assert {one: after[one] for one in kept if after[one]} == {one: before[one] for one in kept}
    gone = {one[1] for one in before.keys() - after.keys()}
    assert gone == ({"failed"} if scene is spot else set())


def test_the_definition_of_an_action_is_what_a_person_wrote() -> None:
    raw = automation(action("a", "1"), action("b", "$a", "a", reset_target_action_id="a"))
    state = load_state(planted(in_full(raw)))

    assert [one.definition() for one in state.actions] == raw["automation"]["actions_dag"]["actions"]


def test_a_configuration_keeps_unknown_fields_of_the_account_that_it_changes() -> None:
    raw = paper(automation(action("a", "1")), {"USDT": 1})
    state = load_state(planted(in_full(raw)))
    before = unknown_in(in_full(dump_state(state)))

    apply_configuration(
        state,
        {
            "automation": {"metadata": {"name": "other"}, "schedule": {"every": 60}},
            "exchange_account_details": {"exchange_details": {"sandboxed": True}},
        },
    )

    after = unknown_in(in_full(dump_state(state)))
    assert {one: after[one] for one in before} == before
    assert {one for one in after if not after[one]} == {("AutomationState", "automation", "schedule")}


async def test_a_setback_that_is_over_takes_along_what_was_said_about_it() -> None:
    told = {"since": 1, "reason": "maintenance", "count": 2, "later": 1}
    run = Invoked(automation(action("a", "1"), execution={"degraded_state": told}))

    await run.invoke(NOW)

    assert "degraded_state" not in run.state["automation"]["execution"]
