"""ccxt's clients: imported lean, sharing what is public, closed whatever happens."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from typing import Any

import pytest

from engine.exchanges.client import close_client, connect, make_client
from engine.exchanges.connections import SharedResolver
from engine.exchanges.uninterrupted import uninterrupted
from engine.state import ExchangeDetails

LEAN = """
import sys
from engine.exchanges.imports import exchange_class
exchange_class("binance")
exchange_class("okx")
print(sorted(name for name in sys.modules if name.startswith(("requests", "urllib3", "ecdsa"))))
print(sorted(name for name in sys.modules if name.startswith("ccxt.async_support.") and name.count(".") == 2))
import requests
print(requests.get.__module__, requests.exceptions.HTTPError.__mro__[1].__name__)
"""


def test_only_the_wanted_exchanges_are_imported_and_nothing_of_the_synchronous_half() -> None:
    run = subprocess.run([sys.executable, "-c", LEAN], capture_output=True, text=True, check=True)
    modules, exchanges, requests = run.stdout.splitlines()
    assert modules == "[]"
    assert exchanges == (
        "['ccxt.async_support.base', 'ccxt.async_support.binance', 'ccxt.async_support.okx']"
    )
    assert requests == "requests.api RequestException"


async def test_clients_share_how_they_trust_and_find_hosts_but_not_their_sessions() -> None:
    first, second = (make_client(ExchangeDetails(internal_name="binance")) for _ in range(2))
    connect(first)
    connect(second)
    assert first.ssl_context is second.ssl_context
    assert first.session is not second.session
    assert first.tcp_connector is not second.tcp_connector
    await close_client(first)
    assert first.session is None
    assert not second.session.closed
    connect(first)
    assert first.session is None
    await close_client(second)


async def test_a_client_is_closed_although_its_job_is_cancelled() -> None:
    client = make_client(ExchangeDetails(internal_name="binance"))
    connect(client)
    session = client.session
    closing = asyncio.create_task(close_client(client))
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert session.closed


async def test_an_uninterrupted_call_ends_before_its_caller_does() -> None:
    go_on, steps = asyncio.Event(), []

    async def call() -> str:
        await go_on.wait()
        steps.append("done")
        raise ValueError("nobody hears of it")

    caller = asyncio.create_task(uninterrupted(call()))
    for _ in range(3):
        await asyncio.sleep(0)
        caller.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert steps == ["done"]


async def test_an_uninterrupted_call_returns_and_raises_as_ever() -> None:
    async def answer(value: Any) -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    assert await uninterrupted(answer(7)) == 7
    with pytest.raises(ValueError, match="no"):
        await uninterrupted(answer(ValueError("no")))


async def test_hosts_are_asked_for_once() -> None:
    resolver = SharedResolver()
    first = await resolver.resolve("localhost", 80)
    assert await resolver.resolve("localhost", 80) == first
    first.clear()
    assert await resolver.resolve("localhost", 80) != []
    await resolver.close()


def test_requests_are_never_logged_with_their_headers() -> None:
    client = make_client(ExchangeDetails(internal_name="binance"))
    logging.getLogger("engine").setLevel(logging.DEBUG)
    assert not client.logger.isEnabledFor(logging.DEBUG)
    logging.getLogger("engine").setLevel(logging.NOTSET)
