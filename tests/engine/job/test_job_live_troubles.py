"""Live jobs whose results are lost, whose requests vanish, and whose prices move: every leg exists once."""

from __future__ import annotations

import copy
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from engine.errors import ConfigurationError, RetryableError
from engine.live.settings import Lease
from engine.live.venue.api import Unclear
from engine.types import Asset
from tests.support.builders import NOW, action
from tests.support.live_job import LiveRun
from tests.support.memory_market import BTC

SCRIPT = """
bought = market('buy', 'BTC/USDT', '10%')
rest = limit('buy', 'BTC/USDT', '5%', '-20%', tag='rest')
paused = wait(30)
gone = cancel_order('BTC/USDT', tag='rest')
market('sell', 'BTC/USDT', '100%')
"""
LOST = 0.3
VANISHED = 0.3
SILENT = 0.2


async def troubled(seed: int) -> LiveRun:
    """Run the script to its end, with troubles drawn from a seed."""
    random, run, now = Random(seed), LiveRun(action("trade", SCRIPT)), NOW
    for _ in range(200):
        market = run.exchange.market
        market.prices[BTC] = Decimal(random.randint(45_000, 55_000))
        if random.random() < VANISHED:
            run.exchange.will_answer(Unclear("timed out"), happens=random.random() < 0.5)
        run.exchange.read_error = RetryableError("no answer") if random.random() < SILENT else None
        before = copy.deepcopy(run.state)
        with suppress(RetryableError):
            await run.invoke(now)
        if random.random() < LOST:
            run.state = before
        elif run.completed:
            return run
        now += random.uniform(6, 40)
    raise AssertionError(f"seed {seed}: not done: {run.state}")


@pytest.mark.parametrize("seed", range(12))
async def test_every_leg_exists_once_and_the_state_equals_the_books(seed: int) -> None:
    run = await troubled(seed)

    kinds = [(report.side, report.kind, report.status) for report in run.exchange.orders.values()]
    assert kinds == [
        ("buy", "market", "closed"),
        ("buy", "limit", "canceled"),
        ("sell", "market", "closed"),
    ]
    assert "error_status" not in run.action("trade")
    assert (run.pending, run.open_orders) == ([], [])
    assert run.held("USDT") == run.exchange.balances[Asset("USDT")]
    assert run.held("BTC") == run.exchange.balances[Asset("BTC")]


async def test_a_silence_that_is_shorter_than_a_request_may_take_is_refused_before_anything_is_sent() -> None:
    run = LiveRun(action("trade", SCRIPT))
    run.services = replace(run.services, lease=Lease(lambda: 2.0, length=2.0))

    with pytest.raises(ConfigurationError, match="heartbeat timeout") as refused:
        await run.invoke()

    assert refused.value.code == "lease_too_short"
    assert run.exchange.opened == 0
