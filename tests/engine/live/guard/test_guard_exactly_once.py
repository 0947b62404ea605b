"""Whatever happens to three attempts in a row, an order exists once, and the state knows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import product

import pytest

from engine.effects.intents import Placed
from engine.live.guard.result import GuardResult
from engine.live.venue.api import Unclear
from engine.state import Intent, Order
from engine.types import Timestamp
from tests.support.intents import SETTINGS, Guarded, create, market_order

HEARTBEAT_TIMEOUT = 20
NO_ANSWER = Unclear("no answer")
KEYS = ("k1", "k2")


class Attempts:
    """An automation that has planned two market orders, attempt by attempt."""

    def __init__(self) -> None:
        self.guarded = Guarded()
        self.exchange = self.guarded.exchange
        self.pending: Sequence[Intent] = [create(_planned(key)) for key in KEYS]
        self.placed: list[str] = []
        self.on_the_way: list[tuple[Timestamp, Order]] = []

    # What happens to an attempt; a message wakes the next one a second later, whenever it is due.

    async def finished(self) -> None:
        """It ends well."""
        self._keep(await self._round())
        self.pass_time(1)

    async def request_lost(self) -> None:
        """Its first request never arrives."""
        self.exchange.will_answer(NO_ANSWER)
        await self.finished()

    async def answer_lost(self) -> None:
        """Its first request arrives, the answer does not."""
        self.exchange.will_answer(NO_ANSWER, happens=True)
        await self.finished()

    async def request_late(self) -> None:
        """Its first request arrives at the end of its window."""
        self._keep(await self._late_round())
        self.pass_time(1)

    # An attempt that is killed leaves nothing; another one starts after the heartbeat timeout.

    async def killed(self) -> None:
        """It dies behind its first request."""

        async def run_out() -> None:
            self.guarded.lease_left = 0

        undisturbed, self.exchange.on_the_way = self.exchange.on_the_way, run_out
        await self._round()
        self.exchange.on_the_way = undisturbed
        self.pass_time(HEARTBEAT_TIMEOUT)

    async def killed_while_late(self) -> None:
        """It dies, and its first request arrives at the end of its window."""
        await self._late_round()
        self.pass_time(HEARTBEAT_TIMEOUT)

    # Inside

    def pass_time(self, seconds: float) -> None:
        """Let the exchange's clock go on, and late requests arrive."""
        end = self.exchange.clock + seconds
        for at, order in [one for one in self.on_the_way if one[0] <= end]:
            self.exchange.clock = at
            self.exchange.accept(order)
            self.on_the_way.remove((at, order))
        self.exchange.clock = end

    async def _round(self) -> GuardResult:
        self.guarded.lease_left = HEARTBEAT_TIMEOUT
        return await self.guarded.carry_out(*self.pending)

    async def _late_round(self) -> GuardResult:
        before = len(self.exchange.sent)
        self.exchange.will_answer(NO_ANSWER)
        settlement = await self._round()
        arrives_at = self.exchange.clock + SETTINGS.receive_window
        keys = [str(request.client_id) for request in self.exchange.sent[before:]]
        self.on_the_way += [(arrives_at, _planned(key)) for key in keys]
        return settlement

    def _keep(self, settlement: GuardResult) -> None:
        self.pending = settlement.pending
        outcomes = [settled.outcome for settled in settlement.settled]
        self.placed += [str(one.order.client_order_id) for one in outcomes if isinstance(one, Placed)]


def _planned(key: str) -> Order:
    return market_order(key, amount="0.001")


Event = Callable[[Attempts], Awaitable[None]]

EVENTS: Sequence[Event] = (
    Attempts.finished,
    Attempts.killed,
    Attempts.request_lost,
    Attempts.answer_lost,
    Attempts.request_late,
    Attempts.killed_while_late,
)


@pytest.mark.parametrize("first", EVENTS, ids=lambda event: event.__name__)
async def test_every_order_exists_once_whatever_happens_to_three_attempts(first: Event) -> None:
    for events in product([first], EVENTS, EVENTS):
        attempts = Attempts()
        for event in events:
            await event(attempts)
        while attempts.pending:
            await attempts.finished()
            attempts.pass_time(60)

        story = [event.__name__ for event in events]
        on_the_exchange = [report.client_order_id for report in attempts.exchange.orders.values()]
        assert sorted(map(str, on_the_exchange)) == [*KEYS], story
        assert sorted(attempts.placed) == [*KEYS], story
