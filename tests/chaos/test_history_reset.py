"""A history that is reset to before an order was sent sends nothing by itself, and nothing twice."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client

from activities.starting import start_of
from engine.state import load_state
from tests.chaos.automations import FUNDS, Trader
from tests.chaos.storm import SETTINGS, at_work
from tests.chaos.workers import Crew, Nursery
from tests.support.builders import action
from tests.support.loopback import serving_binance
from tests.support.temporal import reset
from workflows.automation import Automation
from workflows.client import start_automation
from workflows.messages import Json

BEFORE_SENDING = 1
"""The workflow task that schedules the invocation which sends what the first one planned."""


def trades(state: Json) -> Any:
    """The fills that a state knows of."""
    return state["automation"]["exchange_account_elements"]["trades"]


@pytest.mark.timeout(120)
async def test_a_reset_history_sends_nothing_by_itself_and_adopts_what_it_had_sent(
    client: Client, workers: Nursery
) -> None:
    trader, crew = Trader("reset", "BTC"), Crew(workers, "reset")
    async with serving_binance() as exchange, at_work([crew]):
        exchange.books.add_account(trader.key, trader.secret, {"USDT": FUNDS})
        state = trader.state(exchange.url, action("buy", f"market('buy', '{trader.symbol}', '1000q')"))
        start = start_of(load_state(state))
        handle = await start_automation(client, start, task_queue="reset", settings=SETTINGS)
        first = await handle.result()
        exchange.books.set_price(trader.market, 50_000)
        requests = len(exchange.requests)

        again = await reset(client, handle, BEFORE_SENDING)

        assert (await again.query(Automation.status)).status == "needs_attention"
        assert len(exchange.requests) == requests

        await again.execute_update(Automation.retry)
        second = await again.result()

    assert len(exchange.books.accepted) == 1
    assert trades(second.state) == trades(first.state)
