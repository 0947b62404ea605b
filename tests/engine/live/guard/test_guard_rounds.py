"""Rows M of the guard's table: approval, the lease and the modes; and that every row has its test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine.effects.intents import Dropped, Placed
from engine.live.guard import guard
from engine.live.guard.result import Mode
from engine.live.venue.api import Unclear
from tests.support.builders import NOW
from tests.support.intents import (
    FENCE,
    RESERVE,
    SETTINGS,
    Guarded,
    cancel,
    create,
    intent,
    order,
    tried,
    unresolved,
)

AWAITING: dict[str, Any] = {"status": "awaiting_approval"}


def test_every_row_of_the_tables_has_a_test() -> None:
    rows = re.findall(r"^([A-Z]\d+)  ", guard.__doc__ or "", re.MULTILINE)
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("test_guard_*.py"))

    assert len(rows) > 40
    assert [row for row in rows if f"def test_{row.lower()}_" not in texts] == []


async def test_m1_what_awaits_approval_is_skipped_until_it_is_too_old() -> None:
    guarded = Guarded(approval=True)
    awaiting = create(**AWAITING)

    settlement = await guarded.carry_out(awaiting)

    assert settlement.pending == [awaiting]
    assert settlement.next_at == NOW + SETTINGS.approved_intent_max_age
    assert guarded.exchange.requests.total() == 0


async def test_m2_what_nobody_approved_in_time_is_dropped() -> None:
    guarded = Guarded(approval=True)
    guarded.exchange.clock += SETTINGS.approved_intent_max_age

    assert await guarded.outcome(create(**AWAITING)) == Dropped()


async def test_m2_what_awaits_approval_is_dropped_when_the_automation_stops() -> None:
    guarded = Guarded(approval=True)

    assert await guarded.outcome(create(**AWAITING), mode=Mode.WIND_DOWN) == Dropped()


async def test_m3_nothing_is_signed_when_it_could_land_in_another_attempt() -> None:
    guarded = Guarded()
    guarded.lease_left = RESERVE

    settlement = await guarded.carry_out(create(), cancel("1", key="k2"))

    assert [left.status for left in settlement.pending] == ["planned", "planned"]
    assert (settlement.next_at, settlement.retry_after, settlement.acted) == (NOW, 0, False)
    assert guarded.exchange.sent == []


async def test_m3_the_lease_is_looked_at_before_each_leg() -> None:
    guarded = Guarded()

    async def pass_time() -> None:
        guarded.lease_left = 0

    guarded.exchange.on_the_way = pass_time

    settlement = await guarded.carry_out(create(order("k1")), create(order("k2")))

    assert guarded.placed == ["k1"]
    assert [left.key for left in settlement.pending] == ["k2"]
    assert settlement.acted


async def test_m3_what_the_look_up_found_counts_without_a_lease() -> None:
    guarded = Guarded()
    guarded.lease_left = 0
    guarded.exchange.accept(order())

    assert isinstance(await guarded.outcome(create()), Placed)


async def test_m4_a_paused_automation_holds_what_was_not_sent() -> None:
    guarded = Guarded()
    guarded.exchange.clock += 10 * SETTINGS.intent_max_age
    held = [
        create(),
        cancel("1"),
        intent("set_leverage", {"symbol": "BTC/USDT", "leverage": "2"}, key="l1"),
        intent("withdraw", {"txid": "w1"}, key="w1"),
    ]

    settlement = await guarded.carry_out(*held, mode=Mode.LOOK_UP)

    assert settlement.pending == held
    assert settlement.next_at is None
    assert guarded.exchange.requests.total() == 0


async def test_m5_a_tried_order_that_never_arrived_is_planned_again_while_paused() -> None:
    guarded = Guarded()
    guarded.exchange.clock += FENCE

    left = await guarded.left(create(**tried()), mode=Mode.LOOK_UP)

    assert (left.status, left.sent_at, left.tries) == ("planned", None, 1)
    assert guarded.exchange.sent == []
    assert isinstance(await guarded.outcome(left), Placed)


@pytest.mark.parametrize("mode", [Mode.LOOK_UP, Mode.WIND_DOWN])
async def test_m5_a_tried_order_is_adopted_in_every_mode(mode: Mode) -> None:
    guarded = Guarded()
    guarded.exchange.accept(order())

    assert isinstance(await guarded.outcome(create(**tried()), mode=mode), Placed)


@pytest.mark.parametrize("state", [{}, tried(), unresolved()])
async def test_m6_nothing_new_is_placed_while_winding_down(state: dict[str, Any]) -> None:
    guarded = Guarded()
    guarded.exchange.clock += FENCE

    assert await guarded.outcome(create(**state), mode=Mode.WIND_DOWN) == Dropped()
    assert guarded.exchange.requests["find_orders"] == 1
    assert guarded.exchange.sent == []


async def test_m5_an_old_one_is_dropped_while_paused() -> None:
    guarded = Guarded()
    guarded.exchange.clock += SETTINGS.intent_max_age + 1

    assert await guarded.outcome(create(**tried()), mode=Mode.LOOK_UP) == Dropped()


async def test_m6_winding_down_waits_for_the_fence() -> None:
    guarded = Guarded()

    settlement = await guarded.carry_out(create(**tried()), mode=Mode.WIND_DOWN)

    assert settlement.pending == [create(**tried())]
    assert settlement.next_at == NOW + FENCE


async def test_m7_nobody_comes_back_for_what_needs_a_person_when_the_automation_stops() -> None:
    guarded = Guarded()
    guarded.exchange.accept(order(amount="0.02"))

    settlement = await guarded.carry_out(create(), mode=Mode.WIND_DOWN)

    assert settlement.pending[0].status == "unresolved"
    assert settlement.next_at is None
    assert settlement.notes


async def test_effects_are_carried_out_in_the_order_in_which_they_were_planned() -> None:
    guarded = Guarded()
    known = guarded.exchange.accept(order("k0", amount="0.02"))

    settlement = await guarded.carry_out(cancel(known.id), create(order("k1")), create(order("k2")))

    assert [request.kind for request in guarded.exchange.sent] == [
        "cancel_order",
        "create_order",
        "create_order",
    ]
    assert [settled.intent.key for settled in settlement.settled] == ["c1", "k1", "k2"]


async def test_once_a_round_has_ended_nothing_more_is_requested() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Unclear("no answer"))

    settlement = await guarded.carry_out(
        create(),
        cancel("1", **tried(NOW + 1)),
        intent("withdraw", {"txid": "w1"}, key="w1", **tried(NOW + 1)),
        intent("set_leverage", {"symbol": "BTC/USDT", "leverage": "2"}, key="l1"),
    )

    assert len(settlement.pending) == 4
    assert guarded.exchange.requests == {"find_orders": 1, "create_order": 1}


async def test_the_automation_comes_again_for_the_first_effect_that_is_due() -> None:
    guarded = Guarded()

    settlement = await guarded.carry_out(
        create(order("k1"), **tried(NOW + 100)), create(order("k2"), **tried())
    )

    assert settlement.next_at == NOW + FENCE


async def test_an_unforeseen_error_after_something_was_sent_does_not_lose_what_was_sent() -> None:
    guarded = Guarded()
    broken = create(order("k2")).model_copy(update={"kind": "cancel_order", "params": {}})

    settlement = await guarded.carry_out(create(order("k1")), broken, create(order("k3")))

    assert [settled.intent.key for settled in settlement.settled] == ["k1"]
    assert [left.key for left in settlement.pending] == ["k2", "k3"]
    assert settlement.why == "an unforeseen error (KeyError)"
    assert settlement.retry_after == SETTINGS.watch_every
