"""A key is nowhere to be read, whatever goes wrong: in logs, in Temporal's database, in what people see."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from asyncio.subprocess import Process, create_subprocess_exec
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from activities.starting import start_of
from engine.state import load_state
from tests.conftest import REPOSITORY
from tests.support.builders import action, automation
from tests.support.loopback import (
    ANY_REQUEST,
    CREATE_ORDER,
    Drop,
    LoopbackExchange,
    Moment,
    Say,
    Trouble,
    Where,
    serving_binance,
)
from tests.support.temporal import development_server
from workflows.automation import Automation
from workflows.client import AutomationHandle, start_automation
from workflows.messages import ExecuteRequest, Json, StatusReport, StopRequest, WorkflowSettings

pytestmark = pytest.mark.timeout(150)

KEY, SECRET = "canary-of-the-api-key-7d1f", "canary-of-the-secret-93ac"
CANARY: Final = b"canary-of-the"
SETTINGS = WorkflowSettings(attempts=2, first_delay=0.5, longest_delay=1)
MINUTE: Final = 60

SYMBOL: Final = "BTC/USDT"
SIGNED: Final = Where(path=("/account", "/apiRestrictions"))
ACTIONS = (
    action("typo", "market('buy', 'BTC/USDT' '10q')"),
    action("greedy", f"market('buy', '{SYMBOL}', '999999q')"),
    action("buy", f"market('buy', '{SYMBOL}', '100q')"),
    action("bid", f"limit('buy', '{SYMBOL}', '100q', '-5%')", "buy"),
    action("unknown", "market('buy', 'NONSENSE/USDT', '10q')", "bid"),
    action("rest", "wait(1000000)", "bid"),
)


@pytest.fixture
async def exchange() -> AsyncIterator[LoopbackExchange]:
    """An exchange whose network breaks and which answers with errors, most of which quote the request."""
    async with serving_binance() as running:
        running.books.add_account(KEY, SECRET, {"USDT": 2_000})
        running.faults.add(Say(Trouble.BAD_GATEWAY), ANY_REQUEST)
        running.faults.add(Drop(), ANY_REQUEST)
        running.faults.add(Say(Trouble.TIMEOUT, Moment.AFTER), CREATE_ORDER)
        running.faults.add(Say(Trouble.RATE_LIMITED, retry_after=1), CREATE_ORDER)
        yield running


def state(exchange: LoopbackExchange, keys: Mapping[str, str]) -> Json:
    """An automation of which almost everything goes wrong."""
    made = automation(*ACTIONS)
    made["automation"]["metadata"] = {"automation_id": "secretive"}
    made["exchange_account_details"] = {
        "exchange_details": {"internal_name": "binance", "url": exchange.url},
        "auth_details": dict(keys),
    }
    return made


@asynccontextmanager
async def worker(client: Client, log: Path) -> AsyncIterator[Process]:
    """A worker as users run it, which finds the keys in its environment and logs into a file."""
    environment = {
        **os.environ,
        "TEMPORAL_ADDRESS": client.service_client.config.target_host,
        "CANARY_API_KEY": KEY,
        "CANARY_API_SECRET": SECRET,
    }
    with log.open("wb") as file:
        process = await create_subprocess_exec(
            *(sys.executable, "worker.py", "--task-queue", "test"),
            cwd=REPOSITORY,
            env=environment,
            stderr=file,
            stdout=file,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def through_everything(handle: AutomationHandle, exchange: LoopbackExchange) -> None:
    """An outage that attempts fail in, errors of all kinds, and at last an exchange that refuses the key."""
    outage = exchange.faults.add(Say(Trouble.PROXY_PAGE), SIGNED, times=None)
    await until(partial(_stands, handle, lambda report: report.failures > 0))
    exchange.faults.remove(outage)
    await until(partial(_rests, handle))
    exchange.faults.add(Say(Trouble.INVALID_KEY), ANY_REQUEST, times=None)
    question = ExecuteRequest(actions=[action("look", "total('USDT')")])
    asking = asyncio.create_task(handle.execute_update(Automation.execute, question))
    await until(partial(_stands, handle, lambda report: report.status == "postponed"))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so, at most a minute."""
    async with asyncio.timeout(MINUTE):
        while True:
            if await is_so():
                return
            await asyncio.sleep(0.2)


async def _stands(handle: AutomationHandle, as_expected: Callable[[StatusReport], bool]) -> bool:
    return as_expected(await handle.query(Automation.status))


async def _rests(handle: AutomationHandle) -> bool:
    kept = await handle.query(Automation.state)
    done = {one["id"] for one in kept["automation"]["actions_dag"]["actions"] if "executed_at" in one}
    return done == {"typo", "greedy", "buy", "bid", "unknown"}


async def everything_readable(handle: AutomationHandle, client: Client, *, decoded: bool) -> dict[str, bytes]:
    """Return whatever can be asked of an automation, by where it stands."""
    texts = {
        "state": json.dumps(await handle.query(Automation.state)).encode(),
        "status": (await handle.query(Automation.status)).model_dump_json().encode(),
        "outcomes": json.dumps(await handle.query(Automation.history)).encode(),
    }
    description = await handle.describe()
    texts["description"] = description.raw_description.SerializeToString()
    history = await handle.fetch_history()
    for event in history.events:
        texts[f"event {event.event_id}"] = event.SerializeToString()
        if decoded:
            for number, payload in enumerate(_payloads(event)):
                (clear,) = await _decode(client, payload)
                texts[f"event {event.event_id}, payload {number}"] = clear.data
    return texts


async def _decode(client: Client, payload: Payload) -> list[Payload]:
    codec = client.data_converter.payload_codec
    assert codec is not None
    return await codec.decode([payload])


def _payloads(message: Message) -> Iterator[Payload]:
    """Yield all payloads inside a message: states, outcomes, heartbeats, failures' details."""
    if isinstance(message, Payload):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        nested: Any = value
        if field.message_type.GetOptions().map_entry:
            nested = [one for one in value.values() if isinstance(one, Message)]
        elif not field.is_repeated:
            nested = [value]
        for one in nested:
            yield from _payloads(one)


def with_canary(texts: Mapping[str, bytes]) -> list[str]:
    """Return where the canary can be read, in plain or in base64."""
    wanted = [CANARY, *(base64.b64encode(CANARY[shift:])[:-4] for shift in range(3))]
    return [name for name, text in texts.items() if any(one in text for one in wanted)]


@dataclass(frozen=True)
class Traces:
    """What a run left behind.

    Attributes:
        files: the server's database, the worker's log.
        asked: what the automation and the server tell of it.
    """

    files: Mapping[str, bytes]
    asked: Mapping[str, bytes]

    @property
    def everything(self) -> dict[str, bytes]:
        """All of it, by where it stands."""
        return {**self.files, **self.asked}


async def traces_of_a_run(
    binary: Path, folder: Path, exchange: LoopbackExchange, keys: Mapping[str, str], *, decoded: bool
) -> Traces:
    """Let an automation with these keys go through everything, and stop it."""
    database, log = folder / "temporal.db", folder / "worker.log"
    async with development_server(binary, database) as server, worker(server.client, log):
        start = start_of(load_state(state(exchange, keys)))
        handle = await start_automation(server.client, start, task_queue="test", settings=SETTINGS)
        await through_everything(handle, exchange)
        asked = await everything_readable(handle, server.client, decoded=decoded)
        await handle.execute_update(Automation.stop, StopRequest())
    files = _read_all(folder)
    assert b"secretive" in files[database.name], "the database was searched"
    assert b"Bad gateway" in files[log.name], "the page that quotes the key was logged"
    assert b"Invalid API-key" in asked["status"], "people are told"
    return Traces(files, asked)


def _read_all(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


async def test_a_key_by_reference_is_nowhere_to_be_read_after_a_run_full_of_errors(
    temporal_binary: Path, tmp_path: Path, exchange: LoopbackExchange
) -> None:
    by_reference = {"credential_ref": "env:CANARY"}

    traces = await traces_of_a_run(temporal_binary, tmp_path, exchange, by_reference, decoded=True)

    assert any(b"Bad gateway" in text for text in traces.asked.values()), "failures are in the history"
    assert with_canary(traces.everything) == []


async def test_a_key_inside_the_state_lies_encrypted_in_temporal_and_is_shown_to_nobody(
    temporal_binary: Path, tmp_path: Path, exchange: LoopbackExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTOFLOW_ENCRYPTION_KEY", base64.b64encode(os.urandom(32)).decode())
    inline = {"api_key": KEY, "api_secret": SECRET}

    traces = await traces_of_a_run(temporal_binary, tmp_path, exchange, inline, decoded=False)

    assert with_canary(traces.everything) == []
