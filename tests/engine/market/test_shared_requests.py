"""Automations that look at the same market share its public data, with the real ccxt class on loopback."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from tests.support.builders import Invoked, State, action, automation, paper
from tests.support.public_exchange import PublicExchange, serving

AUTOMATIONS = 100
HOUR = 3_600
START = 1_700_002_800
SCRIPT = "market('buy', 'BTC/USDT', '10q') if rsi(close, 14)[-1] > 0 else None"


@pytest.fixture
async def exchange() -> AsyncIterator[PublicExchange]:
    """Thirty hourly candles, the last of which runs."""
    async with serving("BTC") as served:
        served.candles = [
            ((START + index * HOUR) * 1_000, "100", "110", "90", str(100 + index % 3), "5")
            for index in range(30)
        ]
        yield served


def automations(url: str) -> list[Invoked]:
    """Paper automations on one symbol and one time frame."""
    return [Invoked(_automation(number, url)) for number in range(AUTOMATIONS)]


def _automation(number: int, url: str) -> State:
    state = automation(action("buy", SCRIPT), defaults={"symbol": "BTC/USDT", "time_frame": "1h"})
    state["automation"]["metadata"]["automation_id"] = f"automation-{number}"
    return paper(state, {"USDT": 1_000}, url=url)


async def test_a_hundred_automations_in_one_minute_cost_one_candle_and_one_ticker_request(
    exchange: PublicExchange,
) -> None:
    minute = START + 29.5 * HOUR

    all_of_them = automations(exchange.url)
    await asyncio.gather(
        *(one.invoke(minute + 59 * number / AUTOMATIONS) for number, one in enumerate(all_of_them))
    )

    assert [one.statuses for one in all_of_them] == [[None]] * AUTOMATIONS
    assert all(len(one.result("buy")["created_orders"]) == 1 for one in all_of_them)
    assert exchange.requests == Counter({"exchangeInfo": 1, "klines": 1, "24hr": 1})


async def test_automations_that_come_one_after_the_other_share_as_well(exchange: PublicExchange) -> None:
    minute = START + 29.5 * HOUR

    for number, one in enumerate(automations(exchange.url)[:20]):
        await one.invoke(minute + 3 * number)

    assert exchange.requests == Counter({"exchangeInfo": 1, "klines": 1, "24hr": 1})
