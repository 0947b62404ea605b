"""One invocation of a live account against an exchange on loopback, and what ccxt costs a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from benchmarks.figures import Figure, median_ms_of
from engine import AutomationJob, InvocationRequest
from engine.exchanges import Client, close_client, make_client
from engine.state import ExchangeDetails
from tests.support.loopback.control import LoopbackControl
from tests.support.loopback.process import loopback_process

REPEAT: Final = 40
SYMBOL: Final = "BTC/USDT"
SCRIPT: Final = "limit('buy', 'BTC/USDT', '100q', '-5%')"

State = dict[str, Any]

_IMPORT: Final = """
import json, pathlib, re, time
import engine
from engine.exchanges.client import make_client
from engine.state import ExchangeDetails

def memory():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\\s+(\\d+) kB", status)[1]) / 1024

before, start = memory(), time.perf_counter()
make_client(ExchangeDetails(internal_name="binance"))
print(json.dumps([time.perf_counter() - start, memory() - before]))
"""


async def live_figures() -> AsyncIterator[Figure]:
    """The invocation that sends a planned limit order, warm, beside bare ccxt doing the same requests."""
    async with loopback_process() as exchange:
        await exchange.set_price("BTCUSDT", "50000")
        await _add_accounts(exchange)
        planned = [await _planned(exchange.url, number) for number in range(REPEAT)]
        await exchange.forget_requests()
        ours = await median_ms_of([_sending(state) for state in planned])
        requests = len(await exchange.requests()) / REPEAT
        theirs = await _bare_ccxt(exchange.url)
    yield Figure(name="live invocation, warm, one limit order", value=ours, unit="ms", at_most=25)
    yield Figure(
        name="live invocation beside bare ccxt",
        value=ours / theirs,
        unit="x",
        peer="client, ticker, balance, open orders, limit order, close",
    )
    yield Figure(name="live invocation, requests", value=requests, unit="requests", at_most=7)


def exchange_import_figures() -> list[Figure]:
    """What the first client of an exchange costs a fresh interpreter that has the engine; best of five."""
    runs = [_fresh_client() for _ in range(5)]
    return [
        Figure(name="import of one exchange", value=min(run[0] for run in runs), unit="s", at_most=0.5),
        Figure(
            name="import of one exchange, memory", value=min(run[1] for run in runs), unit="MB", at_most=60
        ),
    ]


async def _add_accounts(exchange: LoopbackControl) -> None:
    """Give every repetition an account of its own, so that all find the same open orders: none."""
    for number in range(2 * REPEAT):
        key, secret = f"key-{number}", f"secret-{number}"
        await exchange.add_account(key, secret, {"USDT": 10_000})
        os.environ |= {f"BENCH{number}_API_KEY": key, f"BENCH{number}_API_SECRET": secret}


async def _planned(url: str, number: int) -> State:
    """Return the state of an automation whose order is planned and not sent yet."""
    job = AutomationJob(InvocationRequest(state=_state(url, number), now=time.time()))
    outcome = await job.run()
    assert outcome.error_count == 0, outcome
    return job.dump()


def _sending(state: State) -> Callable[[], Awaitable[None]]:
    async def send() -> None:
        job = AutomationJob(InvocationRequest(state=state, now=time.time()))
        await job.run()
        elements = job.dump()["automation"]["exchange_account_elements"]
        assert len(elements["orders"]["open_orders"]) == 1, elements

    return send


async def _bare_ccxt(url: str) -> float:
    details = ExchangeDetails(internal_name="binance", url=url)
    with_markets = make_client(details)
    await with_markets.load_markets()

    def trading(number: int) -> Callable[[], Awaitable[None]]:
        async def trade() -> None:
            await _trade(make_client(details), with_markets, number)

        return trade

    try:
        return await median_ms_of([trading(REPEAT + number) for number in range(REPEAT)])
    finally:
        await close_client(with_markets)


async def _trade(client: Client, with_markets: Client, number: int) -> None:
    client.enableRateLimit = False
    client.apiKey, client.secret = f"key-{number}", f"secret-{number}"
    client.set_markets_from_exchange(with_markets)
    try:
        await client.fetch_ticker(SYMBOL)
        await client.fetch_balance()
        await client.fetch_open_orders(SYMBOL)
        await client.create_order(SYMBOL, "limit", "buy", 0.002, 47_500)
    finally:
        await close_client(client)


def _state(url: str, number: int) -> State:
    return {
        "schema_version": 1,
        "automation": {
            "metadata": {"automation_id": "bench", "run_key": f"bench/{number}"},
            "actions_dag": {"actions": [{"id": "buy", "dsl_script": SCRIPT}]},
        },
        "exchange_account_details": {
            "exchange_details": {"internal_name": "binance", "url": url},
            "auth_details": {"credential_ref": f"env:BENCH{number}"},
        },
    }


def _fresh_client() -> tuple[float, float]:
    finished = subprocess.run(
        [sys.executable, "-c", _IMPORT], check=True, capture_output=True, text=True, timeout=60
    )
    seconds, megabytes = json.loads(finished.stdout)
    return seconds, megabytes
