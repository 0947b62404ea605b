"""Rows C of the guard's table: what the look-up before every creation leads to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.effects.intents import Dropped, Placed, Refusal
from engine.errors import ActionStatus, ConfigurationError, PostponedError, RetryableError
from engine.exchanges.capabilities import Capabilities
from engine.live.venue.api import OrderReport
from engine.types import Symbol
from tests.support.builders import NOW
from tests.support.intents import (
    FENCE,
    RESERVE,
    SETTINGS,
    Guarded,
    cancel,
    create,
    intent,
    market_order,
    order,
    tried,
    unresolved,
)
from tests.support.memory_exchange import MemoryExchange

PLAIN = {"symbol": "BTC/USDT", "side": "buy", "type": "market", "amount": "0.01"}
BLIND = Capabilities()
"""An exchange that cannot tell whether an order arrived."""


async def test_c1_the_same_order_is_adopted_and_not_sent_again() -> None:
    guarded = Guarded()
    known = guarded.exchange.accept(order())

    outcome = await guarded.outcome(create())

    assert isinstance(outcome, Placed)
    assert (outcome.order.id, outcome.order.status) == (known.id, "open")
    assert guarded.exchange.sent == []


async def test_c1_a_filled_market_order_is_adopted_although_its_client_id_is_free_again() -> None:
    guarded = Guarded()
    guarded.exchange.accept(market_order())

    outcome = await guarded.outcome(create(market_order()))

    assert isinstance(outcome, Placed)
    assert (outcome.order.status, outcome.order.filled, outcome.order.price) == (
        "closed",
        Decimal("0.01"),
        Decimal(50_000),
    )
    assert guarded.placed == ["k1"]


@pytest.mark.parametrize("state", [{}, tried(), unresolved(), unresolved(None)])
async def test_c1_however_far_the_leg_got(state: dict[str, Any]) -> None:
    guarded = Guarded()
    guarded.exchange.accept(order())

    assert isinstance(await guarded.outcome(create(**state)), Placed)
    assert guarded.exchange.sent == []


async def test_c1_what_the_look_up_found_counts_also_when_the_order_is_old() -> None:
    guarded = Guarded()
    guarded.exchange.accept(order())
    guarded.exchange.clock += 10 * SETTINGS.intent_max_age

    assert isinstance(await guarded.outcome(create()), Placed)


async def test_c2_an_order_that_the_exchange_rejected_later_is_refused() -> None:
    guarded = Guarded()
    known = guarded.exchange.accept(order())
    guarded.exchange.orders[known.id] = replace(known, status="rejected")

    outcome = await guarded.outcome(create(**tried()))

    assert isinstance(outcome, Refusal)
    assert outcome.status is ActionStatus.INVALID_ORDER


async def test_c3_a_different_order_under_the_key_is_left_to_a_person() -> None:
    guarded = Guarded()
    guarded.exchange.accept(order(price="40001"))

    settlement = await guarded.carry_out(create())

    [left] = settlement.pending
    assert (left.status, left.sent_at) == ("unresolved", None)
    assert settlement.next_at == NOW + SETTINGS.recheck_every
    assert "price 40001 instead of 40000" in settlement.notes[0]
    assert "k1" in settlement.notes[0]
    assert guarded.exchange.sent == []


async def test_c3_a_person_is_told_once() -> None:
    guarded = Guarded()
    guarded.exchange.accept(order(price="40001"))

    settlement = await guarded.carry_out(create(**unresolved(None)))

    assert settlement.pending == [create(**unresolved(None))]
    assert settlement.notes == []


async def test_c4_an_order_that_was_contested_is_never_sent_when_the_other_one_is_not_seen_any_more() -> None:
    guarded = Guarded()
    contested = create(**unresolved(None))

    for late in (0, 1_000, 100_000):
        guarded.exchange.clock = NOW + late
        assert await guarded.left(contested) == contested
    assert guarded.exchange.sent == []


async def test_c5_an_order_that_is_nowhere_is_sent_as_it_was_planned() -> None:
    guarded = Guarded()
    planned = order(time_in_force="PO", tag="mine")

    settlement = await guarded.carry_out(create(planned))

    [request] = guarded.exchange.sent
    assert request.params == planned.model_dump(mode="json", exclude_defaults=True)
    assert guarded.exchange.requests["find_orders"] == 1
    assert settlement.acted
    assert isinstance(settlement.settled[0].outcome, Placed)


async def test_c5_no_order_goes_without_a_client_id() -> None:
    guarded = Guarded()
    nameless = intent("create_order", {"id": "x", **PLAIN}, key="k7")

    await guarded.outcome(nameless)

    assert guarded.placed == ["k7"]


async def test_c5_all_orders_of_a_symbol_are_looked_up_with_one_request() -> None:
    guarded = Guarded(MemoryExchange(balances={"USDT": 10_000}))

    settlement = await guarded.carry_out(*(create(order(f"k{number}")) for number in range(5)))

    assert [settled.intent.key for settled in settlement.settled] == ["k0", "k1", "k2", "k3", "k4"]
    assert guarded.placed == ["k0", "k1", "k2", "k3", "k4"]
    assert guarded.exchange.requests["find_orders"] == 1


async def test_c6_a_tried_order_that_did_not_arrive_is_sent_again_after_the_fence() -> None:
    guarded = Guarded()
    guarded.exchange.clock = NOW + FENCE

    settlement = await guarded.carry_out(create(**tried()))

    assert isinstance(settlement.settled[0].outcome, Placed)
    assert settlement.settled[0].intent.tries == 2
    assert guarded.placed == ["k1"]


@pytest.mark.parametrize("state", [{}, tried(), unresolved()])
async def test_c7_an_old_order_that_is_nowhere_is_dropped(state: dict[str, Any]) -> None:
    guarded = Guarded()
    guarded.exchange.clock = NOW + SETTINGS.intent_max_age + 1

    assert await guarded.outcome(create(**state)) == Dropped()
    assert guarded.exchange.sent == []


async def test_c7_an_order_grows_old_while_its_invocation_is_retried() -> None:
    guarded = Guarded()
    guarded.exchange.clock = NOW + SETTINGS.intent_max_age + 1

    assert await guarded.outcome(create(), now=NOW) == Dropped()


async def test_c7_approved_orders_may_be_older() -> None:
    guarded = Guarded(approval=True)
    guarded.exchange.clock = NOW + SETTINGS.approved_intent_max_age

    assert isinstance(await guarded.outcome(create()), Placed)


@pytest.mark.parametrize("state", [tried(), unresolved()])
async def test_c8_an_absence_before_the_fence_is_not_believed(state: dict[str, Any]) -> None:
    guarded = Guarded()
    guarded.exchange.clock = NOW + FENCE - 0.5

    settlement = await guarded.carry_out(create(**state))

    assert settlement.pending == [create(**state)]
    assert settlement.next_at == NOW + FENCE
    assert guarded.exchange.sent == []


async def test_c8_a_request_that_lands_within_the_fence_is_adopted() -> None:
    guarded = Guarded()
    waiting = await guarded.left(create(**tried()))

    guarded.exchange.accept(order())
    guarded.exchange.clock += FENCE

    assert isinstance(await guarded.outcome(waiting), Placed)
    assert guarded.placed == ["k1"]


async def test_c8_signatures_that_do_not_expire_have_a_longer_fence() -> None:
    guarded = Guarded(MemoryExchange(capabilities=Capabilities(finds_by_client_id=True)))
    guarded.exchange.clock = NOW + SETTINGS.fence_without_expiry - 1
    settlement = await guarded.carry_out(create(**tried()))
    assert settlement.next_at == NOW + SETTINGS.fence_without_expiry

    guarded.exchange.clock += 1
    assert isinstance(await guarded.outcome(create(**tried())), Placed)


async def test_c8_the_fence_is_told_in_the_time_of_the_invocation() -> None:
    guarded = Guarded(MemoryExchange(clock=NOW - 30))

    settlement = await guarded.carry_out(create(**tried(NOW - 31)), now=NOW)

    assert settlement.next_at == NOW + FENCE - 1


async def test_c8_the_clock_is_measured_before_an_absence_is_believed() -> None:
    guarded = Guarded()
    exchange = guarded.exchange
    exchange.clock = NOW + 300

    async def measure() -> float:
        exchange.clock = NOW + FENCE - 1
        return 0.0

    exchange.clock_difference = measure  # type: ignore[method-assign]

    assert await guarded.left(create(**tried()), now=NOW) == create(**tried())
    assert exchange.sent == []


@pytest.mark.parametrize(
    "error",
    [
        RetryableError("no answer", retry_after=7),
        PostponedError("key refused", reason="authentication"),
    ],
)
@pytest.mark.parametrize("state", [{}, tried()])
async def test_c9_a_failed_look_up_is_raised_while_nothing_was_sent(
    error: Exception, state: dict[str, Any]
) -> None:
    guarded = Guarded()
    guarded.exchange.read_error = error

    with pytest.raises(type(error), match=str(error)):
        await guarded.carry_out(create(**state))
    assert guarded.exchange.sent == []


async def test_c9_after_something_was_sent_a_failed_look_up_only_ends_the_round() -> None:
    guarded = Guarded()
    known = guarded.exchange.accept(order("k0"))

    async def break_down() -> None:
        guarded.exchange.read_error = RetryableError("no answer", retry_after=7)

    guarded.exchange.on_the_way = break_down
    again = create(order("k2"), **tried(NOW - FENCE))
    settlement = await guarded.carry_out(create(order("k1")), cancel(known.id, **tried(NOW - 100)), again)

    assert [settled.intent.key for settled in settlement.settled] == ["k1"]
    assert [left.key for left in settlement.pending] == ["c1", "k2"]
    assert len(guarded.exchange.sent) == 1
    assert (settlement.retry_after, settlement.why, settlement.acted) == (7, "no answer", True)


@pytest.mark.parametrize("state", [{}, tried()])
async def test_c10_an_order_whose_look_up_fails_for_long_is_left_to_a_person(
    state: dict[str, Any],
) -> None:
    guarded = Guarded()
    guarded.exchange.clock = NOW + SETTINGS.unresolved_after
    guarded.exchange.read_error = RetryableError("no answer")

    settlement = await guarded.carry_out(create(**state))

    [left] = settlement.pending
    assert (left.status, left.sent_at is None) == ("unresolved", False)
    assert settlement.retry_after == SETTINGS.watch_every
    assert "no answer" in settlement.notes[0]


async def test_c10_it_is_settled_as_soon_as_look_ups_work_again() -> None:
    guarded = Guarded()
    guarded.exchange.clock = NOW + SETTINGS.unresolved_after
    guarded.exchange.read_error = RetryableError("no answer")
    left = await guarded.left(create(**tried()))

    guarded.exchange.read_error = None
    assert await guarded.outcome(left) == Dropped()


@pytest.mark.parametrize("state", [{}, tried()])
async def test_c19_an_order_whose_look_up_is_refused_is_left_to_a_person_and_the_others_go_on(
    state: dict[str, object],
) -> None:
    guarded = Guarded(MemoryExchange({"BTC/USDT": 50_000, "ETH/USDT": 2_000}))
    exchange = guarded.exchange
    find = exchange.find_orders

    async def find_what_is_listed(symbol: Symbol, *wanted: Any) -> Any:
        if symbol == "ETH/USDT":
            raise ConfigurationError("no such market")
        return await find(symbol, *wanted)

    exchange.find_orders = find_what_is_listed  # type: ignore[method-assign, assignment]

    settlement = await guarded.carry_out(create(order("k1", symbol="ETH/USDT"), **state), create(order("k2")))

    [left] = settlement.pending
    assert (left.key, left.status) == ("k1", "unresolved")
    assert "no such market" in settlement.notes[0]
    assert guarded.placed == ["k2"]


async def test_c11_an_unresolved_order_does_not_hold_the_others_up() -> None:
    guarded = Guarded(MemoryExchange({"BTC/USDT": 50_000, "ETH/USDT": 2_000}))
    exchange = guarded.exchange
    delisted = create(order("k1", symbol="ETH/USDT"), **unresolved())
    find = exchange.find_orders

    async def find_what_is_listed(
        symbol: Symbol, client_order_ids: Collection[str], since: float
    ) -> Mapping[str, OrderReport]:
        if symbol == "ETH/USDT":
            raise ConfigurationError("no such market")
        return await find(symbol, client_order_ids, since)

    exchange.find_orders = find_what_is_listed  # type: ignore[method-assign]

    settlement = await guarded.carry_out(delisted, create(order("k2")))

    assert settlement.pending == [delisted]
    assert guarded.placed == ["k2"]
    assert (settlement.retry_after, settlement.notes) == (None, [])


async def test_c12_without_a_look_up_an_order_is_sent_when_no_earlier_attempt_can_have_done_it() -> None:
    guarded = Guarded(MemoryExchange(capabilities=BLIND))
    guarded.exchange.clock += RESERVE - 2

    assert isinstance(await guarded.outcome(create()), Placed)
    assert guarded.placed == ["k1"]


async def test_c13_without_a_look_up_nothing_is_sent_twice_by_a_clock_that_is_behind() -> None:
    guarded = Guarded(MemoryExchange(capabilities=BLIND))
    guarded.exchange.clock -= RESERVE - 1
    await guarded.carry_out(create(market_order()), now=NOW)

    guarded.exchange.clock += RESERVE + 1  # the attempt was killed, and this is the next one
    await guarded.carry_out(create(market_order()), now=NOW)

    assert len(guarded.exchange.sent) <= 1


async def test_c13_without_a_look_up_a_killed_attempt_is_never_repeated() -> None:
    guarded = Guarded(MemoryExchange(capabilities=BLIND))
    await guarded.outcome(create(market_order()))

    guarded.exchange.clock += 2 * RESERVE
    settlement = await guarded.carry_out(create(market_order()), now=NOW)

    assert settlement.pending[0].status == "unresolved"
    assert guarded.placed == ["k1"]


async def test_c13_without_a_look_up_a_tried_order_needs_a_person() -> None:
    guarded = Guarded(MemoryExchange(capabilities=BLIND))

    settlement = await guarded.carry_out(create(**tried()))

    assert settlement.pending[0].status == "unresolved"
    assert "cannot tell" in settlement.notes[0]


async def test_c13_without_a_look_up_and_without_a_lease_nobody_knows_what_was_sent() -> None:
    guarded = Guarded(MemoryExchange(capabilities=BLIND))
    guarded.lease_left = float("inf")

    assert (await guarded.left(create())).status == "unresolved"
    assert guarded.exchange.sent == []


@pytest.mark.parametrize("state", [{}, tried(), unresolved()])
async def test_c14_without_a_look_up_an_order_is_found_while_it_is_open(state: dict[str, Any]) -> None:
    guarded = Guarded(MemoryExchange(capabilities=BLIND))
    guarded.exchange.accept(order())

    assert isinstance(await guarded.outcome(create(**state)), Placed)
    assert guarded.exchange.sent == []


async def test_c15_a_person_can_accept_a_different_order() -> None:
    guarded = Guarded()
    known = guarded.exchange.accept(order(amount="0.02"))

    outcome = await guarded.outcome(create(**unresolved(None)), resolved={"k1": True})

    assert isinstance(outcome, Placed)
    assert (outcome.order.id, outcome.order.amount) == (known.id, Decimal("0.02"))


@pytest.mark.parametrize("error", [None, RetryableError("no answer")])
async def test_c16_a_person_is_believed_when_the_look_up_finds_nothing(error: Exception | None) -> None:
    guarded = Guarded()
    guarded.exchange.read_error = error

    assert await guarded.outcome(create(**unresolved()), resolved={"k1": True}) == Placed(order())


async def test_c17_an_order_that_a_person_overlooked_is_placed() -> None:
    guarded = Guarded()
    known = guarded.exchange.accept(order())

    outcome = await guarded.outcome(create(**unresolved()), resolved={"k1": False})

    assert isinstance(outcome, Placed)
    assert outcome.order.id == known.id


@pytest.mark.parametrize("error", [None, RetryableError("no answer")])
async def test_c18_an_order_that_a_person_did_not_find_is_dropped(error: Exception | None) -> None:
    guarded = Guarded()
    guarded.exchange.accept(order(amount="0.02"))
    guarded.exchange.read_error = error

    assert await guarded.outcome(create(**unresolved(None)), resolved={"k1": False}) == Dropped()
