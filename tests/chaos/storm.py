"""Runs automations side by side while workers die and answers get lost; then tells what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Final

from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError
from temporalio.worker import Replayer

from connection import plugin
from tests.chaos.automations import FUNDS, MARKETS, Trader
from tests.chaos.incidents import AtRequest, AtTime, Blow, Incident, OnTheWay, Plan
from tests.chaos.verdict import at_rest, problems
from tests.chaos.workers import Crew, Nursery, nursery
from tests.support.loopback import Call, LoopbackExchange, serving_binance
from tests.support.unguarded import Guard
from workflows.automation import Automation
from workflows.carried import AutomationInput
from workflows.client import AutomationHandle
from workflows.messages import ExecuteRequest, Json, WorkflowSettings

SETTINGS: Final = WorkflowSettings(
    invocation_timeout=30,
    heartbeat_timeout=2,
    attempts=50,
    attempts_timeout=60,
    first_delay=0.5,
    longest_delay=2,
)

PRICE_EVERY: Final = 0.05
SWING: Final = 0.003
"""Largest relative move of a price at a time."""
LOWEST: Final = Decimal("0.9")
HIGHEST: Final = Decimal("1.1")
"""How far prices get away from where they began: never as far as an exit or an offer."""

REST_SECONDS: Final = 60
LOOK_EVERY: Final = 0.2
CATCH_UPS: Final = 2
"""Looks at the account behind the storm: what the first one finds may have to be followed up."""

NEIGHBOURS: Final = 2
"""Automations that share a worker, so that a blow to one of them strikes the other as well."""


_WORKER: Final = {
    "OCTOFLOW_WORKER_STICKY_TIMEOUT": "0.5",
    "OCTOFLOW_WORKER_HEARTBEAT_INTERVAL": "0.2",
    "OCTOFLOW_WORKER_SHUTDOWN_TIMEOUT": "0",
}

_REPLAYER: Final = Replayer(workflows=[Automation], plugins=[plugin()])


@dataclass(frozen=True, slots=True)
class Report:
    """How a storm ended.

    Attributes:
        runs: automations that went through it.
        killed, frozen: workers that were.
        problems: what is wrong; nothing when every order exists once and the states equal the books.
    """

    runs: int
    killed: int
    frozen: int
    problems: Sequence[str]


@asynccontextmanager
async def workshop(client: Client) -> AsyncIterator[Nursery]:
    """A nursery of workers for any number of storms.

    Args:
        client: of the development server that they poll.
    """
    environment = {"TEMPORAL_ADDRESS": client.service_client.config.target_host, **_WORKER}
    for base in MARKETS:
        environment |= Trader("", base).credentials
    async with nursery(environment) as workers:
        yield workers


async def storm(
    client: Client,
    workers: Nursery,
    plans: Sequence[Plan],
    seed: int,
    *,
    guard: Guard = Guard.WHOLE,
    neighbours: int = NEIGHBOURS,
) -> Report:
    """Let automations run through one storm, side by side.

    Args:
        client: of a development server.
        workers: where its workers come from.
        plans: what happens to each of them; at most as many as there are markets.
        seed: decides how prices move.
        guard: what the workers have of it.
        neighbours: automations that share a worker.
    """
    name = f"storm{seed}-{guard.value}"
    traders = [Trader(name, base) for base in MARKETS[: len(plans)]]
    crews = [Crew(workers, f"{name}-{number}", guard) for number in range(-(-len(plans) // neighbours))]
    async with serving_binance() as exchange, at_work(crews):
        lives = [
            _Life(client, exchange, trader, crews[number // neighbours], plan)
            for number, (trader, plan) in enumerate(zip(traders, plans, strict=True))
        ]
        async with _moving_prices(exchange, traders, Random(seed)):
            await asyncio.gather(*(life.until_rest() for life in lives))
        exchange.faults.clear()
        found = await asyncio.gather(*(life.judge() for life in lives))
    killed, frozen = sum(crew.killed for crew in crews), sum(crew.frozen for crew in crews)
    return Report(len(plans), killed, frozen, [problem for one in found for problem in one])


class _Life:
    """One automation from its start to its verdict."""

    def __init__(
        self,
        client: Client,
        exchange: LoopbackExchange,
        trader: Trader,
        crew: Crew,
        plan: Plan,
    ) -> None:
        self._client = client
        self._exchange = exchange
        self._trader = trader
        self._crew = crew
        self._plan = plan
        self._handle: AutomationHandle = client.get_workflow_handle_for(Automation.run, trader.name)

    async def until_rest(self) -> None:
        """Start it, let everything happen to it, and wait until it has nothing more to do."""
        self._exchange.books.add_account(self._trader.key, self._trader.secret, {"USDT": FUNDS})
        await self._client.start_workflow(
            Automation.run,
            AutomationInput(state=self._trader.state(self._exchange.url), settings=SETTINGS),
            id=self._trader.name,
            task_queue=self._crew.task_queue,
            task_timeout=timedelta(seconds=2),
        )
        async with asyncio.TaskGroup() as timers:
            for incident in self._plan:
                self._prepare(incident, timers)
            timers.create_task(self._rest_or_not())

    async def judge(self) -> Sequence[str]:
        """Bring its books up to date, with prices that stand still, and tell what is wrong with it."""
        try:
            async with asyncio.timeout(REST_SECONDS):
                state = await self._caught_up()
        except TimeoutError:
            return [f"{self._trader.name} does not answer"]
        await self._handle.terminate()
        history = await self._handle.fetch_history()
        replay = await _REPLAYER.replay_workflow(history, raise_on_replay_failure=False)
        broken = [] if replay.replay_failure is None else [f"{self._trader.name}: {replay.replay_failure}"]
        return [*problems(self._trader, state, self._exchange), *broken]

    async def _caught_up(self) -> Json:
        """Let it look at its account, as often as what it finds can have to be followed up."""
        state = await self._state()
        for number in range(CATCH_UPS):
            if not at_rest(state):
                break
            question = {"id": f"look{number}", "dsl_script": "total('USDT')"}
            await self._handle.execute_update(Automation.execute, ExecuteRequest(actions=[question]))
            state = await self._rest()
        return state

    def _prepare(self, incident: Incident, timers: asyncio.TaskGroup) -> None:
        faults, key = self._exchange.faults, self._trader.key
        match incident:
            case AtTime(blow=blow, seconds=seconds):
                timers.create_task(self._strike_later(blow, seconds))
            case OnTheWay(fault=fault, where=where, nth=nth):
                faults.add(fault, replace(where, key=key), skip=nth)
            case AtRequest(blow=blow, where=where, nth=nth, moment=moment, fault=fault):
                strike = Call(partial(self._crew.strike, blow), moment)
                faults.add(strike, replace(where, key=key), skip=nth)
                if fault is not None:
                    faults.add(fault, replace(where, key=key), skip=nth)

    async def _rest_or_not(self) -> None:
        """Wait until it rests, or has had the time for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(REST_SECONDS):
                await self._rest()

    async def _strike_later(self, blow: Blow, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._crew.strike(blow)

    async def _rest(self) -> Json:
        """Wait until it rests; return its state."""
        while not at_rest(state := await self._state()):  # noqa: ASYNC110 - only a query tells
            await asyncio.sleep(LOOK_EVERY)
        return state

    async def _state(self) -> Json:
        """Return its state, as soon as a worker is there to tell it."""
        while True:
            try:
                return await self._handle.query(Automation.state, rpc_timeout=timedelta(seconds=5))
            except (RPCError, WorkflowQueryFailedError):
                await asyncio.sleep(LOOK_EVERY)


@asynccontextmanager
async def at_work(crews: Sequence[Crew]) -> AsyncIterator[None]:
    """Crews of one worker each, until the block ends."""
    try:
        await asyncio.gather(*(crew.hire() for crew in crews))
        yield
    finally:
        await asyncio.gather(*(crew.dismiss() for crew in crews))


@asynccontextmanager
async def _moving_prices(
    exchange: LoopbackExchange, traders: Sequence[Trader], random: Random
) -> AsyncIterator[None]:
    """Prices that move all the time, until the block ends."""

    async def move() -> None:
        while True:
            for trader in traders:
                listing = exchange.books.listing(trader.market)
                swing = Decimal(str(random.uniform(-SWING, SWING)))
                price = exchange.books.prices[listing.id] * (1 + swing)
                bounded = min(max(price, listing.price * LOWEST), listing.price * HIGHEST)
                exchange.books.set_price(listing.id, bounded // listing.tick * listing.tick)
            await asyncio.sleep(PRICE_EVERY)

    moving = asyncio.create_task(move())
    try:
        yield
    finally:
        moving.cancel()
        await asyncio.wait({moving})
