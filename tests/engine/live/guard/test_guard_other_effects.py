"""Rows L, W, M8 and M9 of the guard's tables: leverage may be repeated, withdrawals never are."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.effects.intents import Applied, Cancelled, Dropped, Outcome, Refusal, Sent
from engine.errors import ActionStatus, RetryableError
from engine.live.guard.result import Mode
from engine.live.venue.api import Duplicate, Refused, Unclear
from engine.state import Intent, Transaction
from engine.types import Asset, OrderId, Symbol
from tests.support.builders import NOW
from tests.support.intents import FENCE, SETTINGS, Guarded, cancel, intent, tried, unresolved
from tests.support.memory_exchange import LIKE_BINANCE, MemoryExchange

NO_ANSWER = Unclear("no answer")


def leverage(**fields: Any) -> Intent:
    """Leverage 5 for a perpetual future."""
    return intent("set_leverage", {"symbol": "BTC/USDT:USDT", "leverage": "5"}, key="l1", **fields)


def transaction(**fields: Any) -> Transaction:
    """100 USDT to an address."""
    sent = {"txid": "w1", "kind": "withdrawal", "asset": "USDT", "amount": "100", "address_to": "0xabc"}
    return Transaction.model_validate({**sent, **fields})


def withdrawal(**fields: Any) -> Intent:
    """100 USDT to send away."""
    params = transaction().model_dump(mode="json", exclude_defaults=True)
    return intent("withdraw", params, key="w1", **fields)


@pytest.mark.parametrize("state", [{}, tried(NOW - FENCE)])
async def test_l1_leverage_is_applied(state: dict[str, Any]) -> None:
    guarded = Guarded()

    assert await guarded.outcome(leverage(**state)) == Applied()
    assert guarded.exchange.leverages == {"BTC/USDT:USDT": Decimal(5)}


async def test_l1_leverage_that_the_exchange_refuses_is_refused() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Refused(ActionStatus.INVALID_ORDER, "at most 3"))

    assert await guarded.outcome(leverage()) == Refusal(ActionStatus.INVALID_ORDER, "at most 3")


async def test_l2_leverage_is_sent_until_there_is_an_answer() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(NO_ANSWER, happens=True)

    settlement = await guarded.carry_out(leverage())

    assert settlement.pending[0].status == "tried"
    assert settlement.retry_after == FENCE
    assert await guarded.left(settlement.pending[0]) == settlement.pending[0]

    guarded.exchange.clock += FENCE
    assert await guarded.outcome(settlement.pending[0]) == Applied()


async def test_l3_old_leverage_is_dropped() -> None:
    guarded = Guarded()
    guarded.exchange.clock += SETTINGS.intent_max_age + 1

    assert await guarded.outcome(leverage()) == Dropped()


async def test_l3_leverage_is_dropped_when_the_automation_stops() -> None:
    guarded = Guarded()

    assert await guarded.outcome(leverage(), mode=Mode.WIND_DOWN) == Dropped()
    assert guarded.exchange.sent == []


async def test_w1_without_client_ids_no_withdrawal_is_sent() -> None:
    guarded = Guarded(MemoryExchange(capabilities=replace(LIKE_BINANCE, withdrawal_id_parameter=None)))

    outcome = await guarded.outcome(withdrawal())

    assert isinstance(outcome, Refusal)
    assert outcome.status is ActionStatus.DISABLED_FUNDS_TRANSFER_ERROR
    assert guarded.exchange.requests.total() == 0


async def test_w1_one_that_was_sent_nevertheless_is_not_refused() -> None:
    guarded = Guarded(MemoryExchange(capabilities=replace(LIKE_BINANCE, withdrawal_id_parameter=None)))

    assert await guarded.left(withdrawal(**tried())) == withdrawal(**tried())


@pytest.mark.parametrize("state", [{}, tried(), unresolved(), unresolved(None)])
async def test_w2_a_withdrawal_that_the_exchange_shows_was_sent(state: dict[str, Any]) -> None:
    guarded = Guarded()
    await guarded.exchange.withdraw(transaction())

    outcome = await guarded.outcome(withdrawal(**state))

    assert outcome == Sent(transaction(timestamp=NOW, status="ok"))
    assert len(guarded.exchange.sent) == 1


async def test_w3_a_different_withdrawal_under_the_key_is_left_to_a_person() -> None:
    guarded = Guarded()
    await guarded.exchange.withdraw(transaction(amount="1"))

    settlement = await guarded.carry_out(withdrawal())

    [left] = settlement.pending
    assert (left.status, left.sent_at) == ("unresolved", None)
    assert "amount" in settlement.notes[0]


async def test_w4_a_withdrawal_that_is_nowhere_is_sent() -> None:
    guarded = Guarded()

    outcome = await guarded.outcome(withdrawal())

    assert isinstance(outcome, Sent)
    assert guarded.exchange.balances[Asset("USDT")] == 900
    assert guarded.exchange.sent[0].client_id == "w1"


async def test_w4_an_old_withdrawal_is_dropped() -> None:
    guarded = Guarded()
    guarded.exchange.clock += SETTINGS.intent_max_age + 1

    assert await guarded.outcome(withdrawal()) == Dropped()


async def test_w4_no_withdrawal_is_sent_when_the_automation_stops() -> None:
    assert await Guarded().outcome(withdrawal(), mode=Mode.WIND_DOWN) == Dropped()


async def test_w5_a_tried_withdrawal_that_nobody_sees_is_never_sent_again() -> None:
    guarded = Guarded()
    waiting = withdrawal(**tried())

    guarded.exchange.clock += SETTINGS.unresolved_after - 1
    settlement = await guarded.carry_out(waiting)
    assert settlement.pending == [waiting]
    assert settlement.next_at == guarded.exchange.clock + SETTINGS.watch_every

    guarded.exchange.clock += 1
    left = await guarded.left(waiting)
    assert left.status == "unresolved"

    guarded.exchange.clock += 1_000_000
    assert await guarded.left(left) == left
    assert guarded.exchange.sent == []


async def test_w5_it_is_reported_after_the_fence_when_the_automation_stops() -> None:
    guarded = Guarded()
    guarded.exchange.clock += FENCE

    settlement = await guarded.carry_out(withdrawal(**tried()), mode=Mode.WIND_DOWN)

    assert settlement.pending[0].status == "unresolved"
    assert settlement.next_at is None


async def test_w6_a_duplicate_withdrawal_is_looked_up() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Duplicate("used"), happens=True)

    assert isinstance(await guarded.outcome(withdrawal()), Sent)


async def test_w6_a_duplicate_that_nobody_sees_is_left_to_a_person() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Duplicate("used"))

    assert (await guarded.left(withdrawal())).status == "unresolved"


async def test_w6_a_duplicate_whose_look_up_fails_is_never_sent_again() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(Duplicate("used"))

    async def break_down() -> None:
        guarded.exchange.read_error = RetryableError("no answer")

    guarded.exchange.on_the_way = break_down

    settlement = await guarded.carry_out(withdrawal())

    [left] = settlement.pending
    assert (left.status, left.sent_at) == ("unresolved", None)
    assert "no answer" in settlement.notes[0]


async def test_w7_an_unclear_withdrawal_is_never_sent_again() -> None:
    guarded = Guarded()
    guarded.exchange.will_answer(NO_ANSWER)

    settlement = await guarded.carry_out(withdrawal())
    assert settlement.retry_after == FENCE

    guarded.exchange.clock += FENCE
    assert await guarded.left(settlement.pending[0]) == settlement.pending[0]
    assert len(guarded.exchange.sent) == 1


@pytest.mark.parametrize(
    ("one", "outcome"),
    [
        (cancel("9", **unresolved()), Cancelled(OrderId("9"), Symbol("BTC/USDT"))),
        (leverage(**unresolved()), Applied()),
        (withdrawal(**unresolved(None)), Sent(transaction())),
    ],
)
async def test_m8_what_a_person_found_has_happened(one: Intent, outcome: Outcome) -> None:
    guarded = Guarded()

    assert await guarded.outcome(one, resolved={one.key: True}) == outcome
    assert guarded.exchange.sent == []


@pytest.mark.parametrize("one", [cancel("9", **unresolved()), withdrawal(**unresolved(None))])
async def test_m9_what_a_person_did_not_find_is_dropped(one: Intent) -> None:
    guarded = Guarded()

    assert await guarded.outcome(one, resolved={one.key: False}) == Dropped()
    assert guarded.exchange.sent == []
