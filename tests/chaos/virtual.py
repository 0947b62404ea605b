"""Live automations in virtual time: the server skips what lies between, the exchange goes along."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from temporalio import activity
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.editing import EditActivities
from activities.invocation import InvocationActivities
from engine.job.services import Services
from engine.live.venue.opening import open_live
from engine.live.venue.wire import Pace
from tests.support.loopback import LoopbackExchange
from tests.support.temporal import running
from workflows.automation import Automation
from workflows.messages import InvocationResult, RunInvocation

TASK_QUEUE = "virtual"


async def _no_pause(_: float) -> None:
    """Repeat reads without the real seconds in between, which virtual time cannot skip."""


SERVICES = Services(
    live_exchange=partial(open_live, pace=Pace(wall=time.time, sleep=_no_pause, jitter=random.random))
)


class InVirtualTime:
    """The real activity, on an exchange whose clock agrees with the server's.

    The worker's own clock stays behind, as that of a machine which is hours slow: what it signs has to be
    corrected by the difference that it measures.
    """

    def __init__(self, server: WorkflowEnvironment, exchange: LoopbackExchange) -> None:
        self._server = server
        self._exchange = exchange
        self._activities = InvocationActivities(SERVICES)

    @activity.defn(name="run_invocation")
    async def run_invocation(self, request: RunInvocation) -> InvocationResult:
        """Put the exchange's clock right, then do what the real one does."""
        now = await self._server.get_current_time()
        self._exchange.clock_offset = now.timestamp() - time.time()
        return await self._activities.run_invocation(request)


@asynccontextmanager
async def virtual_worker(server: WorkflowEnvironment, exchange: LoopbackExchange) -> AsyncIterator[None]:
    """A worker for automations on the exchange, until the block ends."""
    invocations, edits = InVirtualTime(server, exchange), EditActivities(SERVICES)
    worker = Worker(
        server.client,
        task_queue=TASK_QUEUE,
        workflows=[Automation],
        activities=[invocations.run_invocation, edits.apply_edit],
    )
    async with running(worker):
        yield
