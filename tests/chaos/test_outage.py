"""A day without the exchange: nothing is lost, nothing stale is sent, and messages are answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.starting import start_of
from engine.state import load_state
from tests.chaos.automations import FUNDS, Trader
from tests.chaos.verdict import drifts
from tests.chaos.virtual import TASK_QUEUE, virtual_worker
from tests.support.builders import action
from tests.support.loopback import CREATE_ORDER, Call, Drop, LoopbackExchange, Moment, serving_binance
from tests.support.loopback.accounts import Account
from tests.support.temporal import development_server, time_skipping
from workflows.automation import Automation
from workflows.client import AutomationHandle, start_automation
from workflows.messages import EditRequest, ExecuteRequest, Json, StopRequest, WorkflowSettings

MINUTE, HOUR = 60, 3_600
TRADER = Trader("outage", "BTC")
BID = f"limit('buy', '{TRADER.symbol}', '100q', '-1%')"

IMPATIENT = WorkflowSettings(attempts=1, first_delay=0.5, longest_delay=0.5, wind_down_timeout=2)

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def server(temporal_test_server_binary: Path) -> AsyncIterator[WorkflowEnvironment]:
    """A server that skips time."""
    async with time_skipping(temporal_test_server_binary) as environment:
        yield environment


@pytest.fixture
async def exchange(server: WorkflowEnvironment) -> AsyncIterator[LoopbackExchange]:
    """An exchange whose automations run in virtual time."""
    async with serving_binance() as running, virtual_worker(server, running):
        yield running


@pytest.fixture
def account(exchange: LoopbackExchange, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The account of the automation, whose keys the worker finds."""
    for name, value in TRADER.credentials.items():
        monkeypatch.setenv(name, value)
    return exchange.books.add_account(TRADER.key, TRADER.secret, {"USDT": FUNDS})


async def bidder(
    server: WorkflowEnvironment, exchange: LoopbackExchange, settings: WorkflowSettings | None = None
) -> AutomationHandle:
    """Start an automation that bids a per cent below the market every quarter of an hour."""
    state = TRADER.state(exchange.url, action("bid", BID))
    state["automation"]["schedule"] = {"every": 15 * MINUTE}
    start = start_of(load_state(state))
    return await start_automation(server.client, start, task_queue=TASK_QUEUE, settings=settings)


def go_silent_at_the_next_order(exchange: LoopbackExchange) -> None:
    """Let the next order be accepted, and its answer be the first of everything that is lost."""

    async def begin() -> None:
        exchange.faults.add(Drop(), times=None)

    exchange.faults.add(Call(begin, Moment.AFTER), CREATE_ORDER)
    exchange.faults.add(Drop(Moment.AFTER), CREATE_ORDER)


def bids(exchange: LoopbackExchange) -> list[Decimal]:
    return [Decimal(order.params["price"]) for order in exchange.books.accepted]


async def history_length(handle: AutomationHandle) -> int:
    return len((await handle.fetch_history()).events)


async def status(handle: AutomationHandle) -> str:
    return (await handle.query(Automation.status)).status


async def look(handle: AutomationHandle, name: str) -> Json:
    """Bring the account up to date; return the state."""
    question = {"id": name, "dsl_script": "total('USDT')"}
    await handle.execute_update(Automation.execute, ExecuteRequest(actions=[question]))
    return await handle.query(Automation.state)


async def test_after_a_day_of_network_errors_the_automation_goes_on_as_if_it_had_slept(
    server: WorkflowEnvironment, exchange: LoopbackExchange, account: Account
) -> None:
    handle = await bidder(server, exchange)
    await server.sleep(20 * MINUTE)
    assert bids(exchange) == [59_400, 59_400]
    go_silent_at_the_next_order(exchange)
    await server.sleep(10 * MINUTE + 30)  # the third bid is made in the thirtieth minute
    assert len(bids(exchange)) == 3
    exchange.books.set_price(TRADER.market, 50_000)  # all bids fill while the automation knows of nothing
    events = await history_length(handle)

    for _ in range(24):
        await server.sleep(HOUR)
    assert await status(handle) == "retrying"
    assert len(bids(exchange)) == 3
    assert await history_length(handle) - events < 400
    exchange.faults.clear()
    await server.sleep(2 * HOUR)

    await handle.execute_update(Automation.pause)
    state = await look(handle, "look")
    assert set(bids(exchange)[3:]) == {49_500}
    assert len(account.fills) == 3
    assert drifts(state, account) == []
    await handle.terminate()


@pytest.fixture
async def real_server(temporal_binary: Path) -> AsyncIterator[WorkflowEnvironment]:
    """A server whose time is real: messages do not race with skipped time there."""
    async with development_server(temporal_binary) as environment:
        yield environment


async def until(handle: AutomationHandle, wanted: str) -> None:
    """Wait until the automation has a status."""
    while True:
        if await status(handle) == wanted:
            return
        await asyncio.sleep(0.1)


async def test_messages_are_answered_during_the_outage(
    real_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in TRADER.credentials.items():
        monkeypatch.setenv(name, value)
    async with serving_binance() as exchange, virtual_worker(real_server, exchange):
        exchange.books.add_account(TRADER.key, TRADER.secret, {"USDT": FUNDS})
        go_silent_at_the_next_order(exchange)
        handle = await bidder(real_server, exchange, IMPATIENT)
        await until(handle, "retrying")

        await handle.execute_update(Automation.pause)
        assert await status(handle) == "paused"
        edit = EditRequest(upsert=[{"id": "more", "dsl_script": "1 + 1"}])
        answer = await handle.execute_update(Automation.edit, edit)
        assert answer.changes.added == ["more"]
        await handle.execute_update(Automation.resume)
        report = await handle.execute_update(Automation.stop, StopRequest())

    assert report.status == "stopped"
    assert len(bids(exchange)) == 1
