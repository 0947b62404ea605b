"""Live effects through the activity: sent while its lease lasts, kept whatever ends the attempt."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.invocation import InvocationActivities
from activities.lease import Clocks
from engine.job.services import Services
from tests.support.builders import NOW, action, automation
from tests.support.live_job import live
from tests.support.memory_exchange import MemoryExchange
from workflows.messages import Decisions, InvocationResult, Json, RunInvocation

LIMIT = "limit('buy', 'BTC/USDT', 0.01, 40000)"


class LiveWorker:
    """A worker of a live automation, whose clocks the test sets.

    Attributes:
        late: seconds that have passed on the server since it handed the attempt out.
        environment: of the newest attempt.
    """

    def __init__(self) -> None:
        self.exchange = MemoryExchange()
        self.late = 0.0
        self.environment = ActivityEnvironment()
        self._activities = InvocationActivities(
            Services(live_exchange=self.exchange.open),
            clocks=Clocks(since_boot=lambda: 0.0, wall=lambda: NOW + self.late),
        )

    async def run(self, state: Json, **request: Any) -> InvocationResult:
        """Run one invocation in an attempt of its own."""
        self.environment = ActivityEnvironment()
        handed_out = datetime.fromtimestamp(NOW, UTC)
        self.environment.info = replace(
            self.environment.info,
            heartbeat_timeout=timedelta(seconds=20),
            schedule_to_close_timeout=timedelta(minutes=10),
            scheduled_time=handed_out,
            started_time=handed_out,
        )
        fields = {"state": state, "run_key": "run", "woken_at": NOW, "due_at": NOW, **request}
        return await self.environment.run(self._activities.run_invocation, RunInvocation(**fields))


def buying(**sections: Any) -> Json:
    return live(automation(action("buy", LIMIT), **sections))


async def test_effects_are_in_a_result_before_they_are_sent() -> None:
    worker = LiveWorker()
    planned = await worker.run(buying())
    assert (planned.pending_effects, planned.wake_at, worker.exchange.sent) == (1, NOW, [])
    assert "limit buy 0.01 BTC/USDT at 40000" in planned.view.details

    sent = await worker.run(planned.state)
    assert (sent.pending_effects, sent.open_orders) == (0, 1)
    assert len(worker.exchange.sent) == 1


async def test_an_attempt_that_may_have_been_replaced_sends_nothing() -> None:
    worker = LiveWorker()
    planned = await worker.run(buying())
    worker.late = 15
    held = await worker.run(planned.state)
    assert (held.pending_effects, held.sent_effects, worker.exchange.sent) == (1, 0, [])

    worker.late = 0
    await worker.run(held.state)
    assert len(worker.exchange.sent) == 1


async def test_effects_that_await_approval_leave_nothing_due_until_they_are_approved() -> None:
    worker = LiveWorker()
    asked = await worker.run(buying(approval="required"))
    assert (asked.status, asked.pending_effects, asked.sent_effects) == ("awaiting_approval", 1, 0)

    key = asked.state["automation"]["execution"]["pending_effects"][0]["key"]
    sent = await worker.run(asked.state, trigger="message", decisions=Decisions(approved=[key]))
    assert (sent.pending_effects, len(worker.exchange.sent)) == (0, 1)


async def test_an_unknown_key_is_an_error_that_names_it() -> None:
    worker = LiveWorker()
    asked = await worker.run(buying(approval="required"))
    with pytest.raises(ApplicationError, match="nowhere") as caught:
        await worker.run(asked.state, decisions=Decisions(approved=["nowhere"]))

    assert caught.value.non_retryable
    assert caught.value.details == ({"code": "unknown_intent"},)


async def test_a_worker_that_is_shut_down_lets_the_effect_under_way_finish() -> None:
    worker = LiveWorker()
    planned = await worker.run(buying())
    arrived = asyncio.Event()

    async def slowly() -> None:
        arrived.set()
        await asyncio.sleep(0)

    worker.exchange.on_the_way = slowly
    attempt = asyncio.create_task(worker.run(planned.state))
    await arrived.wait()
    worker.environment.cancel()
    result = await attempt

    assert (result.open_orders, result.pending_effects) == (1, 0)
    assert len(worker.exchange.sent) == 1


async def test_a_stop_drops_what_was_never_sent() -> None:
    worker = LiveWorker()
    planned = await worker.run(buying())
    stopped = await worker.run(planned.state, trigger="message", stopping=True)

    assert (stopped.status, stopped.pending_effects, worker.exchange.sent) == ("stopped", 0, [])
