"""Rows A of the guard's table: what an exchange's answer to a new order leads to."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from engine.effects.intents import Placed, Refusal
from engine.errors import ActionStatus, RetryableError
from engine.exchanges.capabilities import Capabilities
from engine.live.guard.result import GuardResult
from engine.live.venue.api import Duplicate, Refused, Unclear
from tests.support.builders import NOW
from tests.support.intents import FENCE, SETTINGS, Guarded, create, market_order, order, tried
from tests.support.memory_exchange import MemoryExchange

NO_ANSWER = Unclear("no answer within 10 s")


async def test_a1_an_accepted_order_is_placed_with_what_the_exchange_tells() -> None:
    guarded = Guarded()

    outcome = await guarded.outcome(create(market_order(tag="mine")))

    assert isinstance(outcome, Placed)
    placed = outcome.order
    assert (placed.id, placed.tag, placed.status) == ("1", "mine", "closed")
    assert (placed.filled, placed.price) == (Decimal("0.01"), Decimal(50_000))
    assert placed.fee is not None
    assert (placed.fee.cost, placed.fee.currency) == (Decimal("0.00001"), "BTC")


async def test_a2_a_refused_order_is_refused_as_the_exchange_says() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Refused(ActionStatus.NOT_ENOUGH_FUNDS, "insufficient balance"))

    outcome = await guarded.outcome(create())

    assert outcome == Refusal(ActionStatus.NOT_ENOUGH_FUNDS, "insufficient balance")
    assert guarded.placed == []


async def test_a2_a_refusal_does_not_hold_the_next_order_up() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Refused(ActionStatus.INVALID_ORDER, "too small"))

    settlement = await guarded.carry_out(create(order("k1")), create(order("k2")))

    assert [type(settled.outcome) for settled in settlement.settled] == [Refusal, Placed]


async def test_a3_a_duplicate_is_looked_up_and_adopted() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Duplicate("Duplicate order sent."), happens=True)

    settlement = await guarded.carry_out(create())

    assert isinstance(settlement.settled[0].outcome, Placed)
    assert settlement.notes == []
    assert guarded.placed == ["k1"]


async def test_a4_a_duplicate_that_is_a_different_order_is_left_to_a_person() -> None:
    guarded = Guarded()

    async def taken() -> None:
        guarded.exchange.accept(order(side="sell", price="60000"))

    guarded.exchange.on_the_way = taken

    settlement = await guarded.carry_out(create())

    [left] = settlement.pending
    assert (left.status, left.sent_at) == ("unresolved", None)
    assert "side sell instead of buy" in settlement.notes[0]


async def test_a5_a_duplicate_that_nobody_sees_is_never_sent_again() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Duplicate("Duplicate order sent."))

    settlement = await guarded.carry_out(create())
    assert settlement.next_at == NOW + FENCE
    assert settlement.pending[0].status == "unresolved"

    guarded.exchange.clock += FENCE
    assert (await guarded.left(settlement.pending[0])).status == "unresolved"
    assert len(guarded.exchange.sent) == 1


async def test_a5_it_is_adopted_when_it_shows_up() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Duplicate("Duplicate order sent."))
    left = await guarded.left(create())

    guarded.exchange.accept(order())

    assert isinstance(await guarded.outcome(left), Placed)


async def test_a6_a_duplicate_whose_look_up_fails_ends_the_round() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Duplicate("Duplicate order sent."))

    async def break_down() -> None:
        guarded.exchange.read_error = RetryableError("no answer", retry_after=7)

    guarded.exchange.on_the_way = break_down

    settlement = await guarded.carry_out(create(order("k1")), create(order("k2")))

    assert [(left.status, left.sent_at) for left in settlement.pending] == [
        ("unresolved", None),
        ("planned", None),
    ]
    assert (settlement.retry_after, settlement.next_at) == (7, NOW + FENCE)
    assert len(guarded.exchange.sent) == 1


@pytest.mark.parametrize("happens", [True, False])
async def test_a7_an_unclear_answer_is_looked_up_after_the_fence_and_never_repeated_blindly(
    happens: bool,
) -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(NO_ANSWER, happens=happens)

    settlement = await guarded.carry_out(create(market_order("k1")), create(market_order("k2")))

    assert [(left.status, left.tries) for left in settlement.pending] == [("tried", 1), ("planned", 0)]
    assert (settlement.retry_after, settlement.next_at) == (FENCE, NOW + FENCE)
    assert settlement.acted
    assert len(guarded.exchange.sent) == 1

    guarded.exchange.clock += FENCE
    settlement = await guarded.carry_out(*settlement.pending)
    assert settlement.pending == []
    assert sorted(map(str, guarded.placed)) == ["k1", "k2"]


async def test_a7_what_never_gets_a_clear_answer_is_tried_ever_less_often() -> None:
    guarded = Guarded()
    left = create()
    waits = []
    for _ in range(6):
        guarded.exchange.will_answer(NO_ANSWER)
        settlement = await guarded.carry_out(left)
        assert settlement.next_at is not None
        [left] = settlement.pending
        waits.append(settlement.next_at - guarded.exchange.clock)
        guarded.exchange.clock = settlement.next_at

    assert waits == [FENCE, 2 * FENCE, 4 * FENCE, 8 * FENCE, 16 * FENCE, 16 * FENCE]


async def test_a7_what_never_gets_a_clear_answer_holds_no_other_order_up() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(NO_ANSWER)
    settlement = await guarded.carry_out(create(order("k1")), create(order("k2")))
    guarded.exchange.clock += FENCE
    sent_before = len(guarded.exchange.sent)

    settlement = await guarded.carry_out(*settlement.pending)

    assert [request.client_id for request in guarded.exchange.sent[sent_before:]] == ["k2", "k1"]
    assert [settled.intent.key for settled in settlement.settled] == ["k1", "k2"]


async def test_a7_several_of_them_take_turns() -> None:
    guarded = Guarded()
    pending = [create(order("k1"), **tried(NOW - 100)), create(order("k2"), **tried(NOW - 101))]
    for _ in range(4):
        guarded.exchange.will_answer(NO_ANSWER)
        settlement = await guarded.carry_out(*pending)
        pending = list(settlement.pending)
        guarded.exchange.clock += 100

    assert [request.client_id for request in guarded.exchange.sent] == ["k2", "k1", "k2", "k1"]


async def test_a7_the_fence_counts_from_the_end_of_the_request() -> None:
    guarded = Guarded()

    async def take_long() -> None:
        guarded.exchange.clock += 9

    guarded.exchange.on_the_way = take_long
    guarded.exchange.will_answer(NO_ANSWER)

    assert (await guarded.left(create())).sent_at == NOW + 9


async def test_a8_a_rate_limit_ends_the_round_for_as_long_as_the_exchange_says() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Unclear("too many requests", retry_after=90))

    settlement = await guarded.carry_out(create(order("k1")), create(order("k2")))

    assert [left.status for left in settlement.pending] == ["tried", "planned"]
    assert (settlement.retry_after, settlement.why) == (90, "too many requests")
    assert len(guarded.exchange.sent) == 1


async def test_a9_refused_credentials_postpone() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Unclear("key refused", postpone="authentication"))

    settlement = await guarded.carry_out(create(order("k1")), create(order("k2")))

    assert [left.status for left in settlement.pending] == ["tried", "planned"]
    assert (settlement.postpone, settlement.retry_after, settlement.acted) == ("authentication", None, True)
    assert len(guarded.exchange.sent) == 1


@pytest.mark.parametrize("failure", [OSError("broken pipe"), KeyError("id"), asyncio.CancelledError()])
async def test_a10_whatever_the_request_raises_it_may_have_happened(failure: BaseException) -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(failure, happens=True)

    settlement = await guarded.carry_out(create())

    assert settlement.pending[0].status == "tried"
    guarded.exchange.clock += FENCE
    assert isinstance(await guarded.outcome(settlement.pending[0]), Placed)
    assert guarded.placed == ["k1"]


async def _cancelled_while_sending(guarded: Guarded, *orders: str) -> tuple[GuardResult, int]:
    """Carry orders out in a task that is cancelled, twice, while the first request is on its way."""
    arrived, answered = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        arrived.set()
        await answered.wait()

    guarded.exchange.on_the_way = wait
    task = asyncio.create_task(guarded.carry_out(*(create(order(key)) for key in orders)))
    await arrived.wait()
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
    answered.set()
    return await task, task.cancelling()


async def test_a11_a_cancelled_attempt_waits_for_the_answer_keeps_it_and_stops() -> None:
    guarded = Guarded()

    settlement, cancellations = await _cancelled_while_sending(guarded, "k1", "k2")

    assert isinstance(settlement.settled[0].outcome, Placed)
    assert [left.status for left in settlement.pending] == ["planned"]
    assert (settlement.retry_after, settlement.next_at) == (0, NOW)
    assert len(guarded.exchange.sent) == 1
    assert cancellations == 2


async def test_a11_what_was_unclear_then_is_kept_as_tried() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(NO_ANSWER)

    settlement, _ = await _cancelled_while_sending(guarded, "k1")

    assert (settlement.pending[0].status, settlement.pending[0].sent_at) == ("tried", NOW)
    assert settlement.retry_after == 0


async def test_a11_a_cancellation_before_anything_was_sent_goes_through() -> None:
    guarded = Guarded()
    guarded.exchange.read_error = asyncio.CancelledError()

    with pytest.raises(asyncio.CancelledError):
        await guarded.carry_out(create())


async def test_a12_without_a_look_up_an_unclear_answer_needs_a_person() -> None:
    guarded = Guarded(MemoryExchange(capabilities=Capabilities()))
    guarded.exchange.will_answer(NO_ANSWER)

    settlement = await guarded.carry_out(create())

    [left] = settlement.pending
    assert (left.status, left.sent_at, left.tries) == ("unresolved", NOW, 1)
    assert "no answer within 10 s" in settlement.notes[0]
    assert settlement.next_at == NOW + SETTINGS.recheck_every
