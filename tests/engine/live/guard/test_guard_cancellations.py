"""Rows X of the guard's table: cancellations, which name the same order however often they are sent."""

from __future__ import annotations

from typing import Any

import pytest

from engine.effects.intents import Cancelled, Dropped, Refusal
from engine.errors import ActionStatus, RetryableError
from engine.live.guard.result import Mode
from engine.live.venue.api import Absent, Refused, Unclear
from engine.types import OrderId, Symbol
from tests.support.builders import NOW
from tests.support.intents import FENCE, SETTINGS, Guarded, cancel, order, tried, unresolved

CANCELLED = Cancelled(OrderId("1"), Symbol("BTC/USDT"))


def with_open_order() -> Guarded:
    """An exchange with one open order, whose id is 1."""
    guarded = Guarded()
    guarded.exchange.accept(order())
    return guarded


async def test_x1_an_open_order_is_cancelled_without_asking_first() -> None:
    guarded = with_open_order()

    assert await guarded.outcome(cancel("1")) == CANCELLED
    assert guarded.exchange.orders[OrderId("1")].status == "canceled"
    assert guarded.exchange.requests == {"cancel_order": 1}


async def test_x2_an_order_that_somebody_else_cancelled_is_cancelled() -> None:
    guarded = with_open_order()
    guarded.exchange.cancel_elsewhere("1")

    assert await guarded.outcome(cancel("1")) == CANCELLED


async def test_x2_an_order_that_the_exchange_forgot_is_cancelled() -> None:
    assert await Guarded().outcome(cancel("1")) == CANCELLED


async def test_x2_an_order_that_has_filled_cannot_be_cancelled() -> None:
    guarded = with_open_order()
    guarded.exchange.fill("1")

    assert await guarded.outcome(cancel("1")) == Refusal(ActionStatus.ORDER_NOT_FOUND, "order 1 has filled")


async def test_x3_an_exchange_that_contradicts_itself_is_asked_again_later() -> None:
    guarded = with_open_order()
    guarded.exchange.will_answer(Absent("Unknown order sent."))

    settlement = await guarded.carry_out(cancel("1"))

    assert settlement.pending[0].status == "tried"
    assert settlement.next_at == NOW + FENCE
    assert await guarded.outcome(settlement.pending[0]) == CANCELLED


async def test_x4_a_refused_cancellation_is_refused() -> None:
    guarded = with_open_order()
    guarded.exchange.will_answer(Refused(ActionStatus.INVALID_ORDER, "not now"))

    assert await guarded.outcome(cancel("1")) == Refusal(ActionStatus.INVALID_ORDER, "not now")


async def test_x5_an_unclear_cancellation_ends_the_round() -> None:
    guarded = with_open_order()
    guarded.exchange.will_answer(Unclear("no answer"))

    settlement = await guarded.carry_out(cancel("1"), cancel("2", key="c2"))

    assert [left.status for left in settlement.pending] == ["tried", "planned"]
    assert settlement.retry_after == FENCE


async def test_x6_a_tried_cancellation_that_happened_is_not_sent_again() -> None:
    guarded = with_open_order()
    guarded.exchange.will_answer(Unclear("no answer"), happens=True)
    left = await guarded.left(cancel("1"))

    assert await guarded.outcome(left) == CANCELLED
    assert len(guarded.exchange.sent) == 1


async def test_x6_a_tried_cancellation_that_came_too_late_is_refused() -> None:
    guarded = with_open_order()
    guarded.exchange.fill("1")

    outcome = await guarded.outcome(cancel("1", **tried()))

    assert isinstance(outcome, Refusal)
    assert outcome.status is ActionStatus.ORDER_NOT_FOUND
    assert guarded.exchange.sent == []


async def test_x6_an_old_cancellation_of_an_order_that_is_gone_has_happened() -> None:
    guarded = with_open_order()
    guarded.exchange.cancel_elsewhere("1")
    guarded.exchange.clock += SETTINGS.intent_max_age + 1

    assert await guarded.outcome(cancel("1")) == CANCELLED
    assert guarded.exchange.sent == []


@pytest.mark.parametrize("state", [tried(), unresolved()])
async def test_x7_a_tried_cancellation_of_an_open_order_is_sent_again(state: dict[str, Any]) -> None:
    guarded = with_open_order()

    assert await guarded.outcome(cancel("1", **state)) == CANCELLED
    assert len(guarded.exchange.sent) == 1


async def test_x7_while_paused_it_is_held() -> None:
    guarded = with_open_order()

    assert await guarded.left(cancel("1", **tried()), mode=Mode.LOOK_UP) == cancel("1", **tried())
    assert guarded.exchange.sent == []


@pytest.mark.parametrize("state", [{}, tried()])
async def test_x8_an_old_cancellation_of_an_open_order_is_dropped(state: dict[str, Any]) -> None:
    guarded = with_open_order()
    guarded.exchange.clock += SETTINGS.intent_max_age + 1

    assert await guarded.outcome(cancel("1", **state)) == Dropped()
    assert guarded.exchange.sent == []


async def test_x8_winding_down_cancels_at_any_age() -> None:
    guarded = with_open_order()
    guarded.exchange.clock += SETTINGS.intent_max_age + 1

    assert await guarded.outcome(cancel("1"), mode=Mode.WIND_DOWN) == CANCELLED


async def test_x9_a_failed_look_up_is_raised_while_nothing_was_sent() -> None:
    guarded = with_open_order()
    guarded.exchange.read_error = RetryableError("no answer")

    with pytest.raises(RetryableError, match="no answer"):
        await guarded.carry_out(cancel("1", **tried()))


async def test_x9_a_look_up_that_fails_for_long_needs_a_person() -> None:
    guarded = with_open_order()
    guarded.exchange.read_error = RetryableError("no answer")
    guarded.exchange.clock += SETTINGS.unresolved_after

    settlement = await guarded.carry_out(cancel("1", **tried()))

    assert settlement.pending[0].status == "unresolved"
    assert (await guarded.left(settlement.pending[0])).status == "unresolved"
