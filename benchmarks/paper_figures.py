"""One invocation of a simulated account over recorded candles: an indicator and an order."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, median_ms
from engine import AutomationJob, InvocationRequest
from engine.market import list_recorded

SAMPLE_MARKET: Final = Path(__file__).parents[1] / "examples" / "sample_market"

SCRIPT: Final = "market('buy', 'BTC/USDT', '20q') if rsi(close, 14)[-1] < 200 else None"
"""The condition always holds: every invocation places an order."""


async def paper_figures() -> AsyncIterator[Figure]:
    """Load + run + dump with warm caches, median of many."""
    state, now = _state(), _some_time()

    async def invoke() -> None:
        job = AutomationJob(InvocationRequest(state=state, now=now))
        outcome = await job.run()
        assert outcome.error_count == 0, outcome
        job.dump()

    duration = await median_ms(invoke, repeat=100)
    yield Figure(name="paper invocation, an indicator and an order", value=duration, unit="ms", at_most=4)


def _market_folder() -> Path:
    named = os.environ.get("OCTOFLOW_MARKET_DATA")
    return Path(named) if named and Path(named).is_dir() else SAMPLE_MARKET


def _some_time() -> float:
    recording = next(
        recording
        for recording in list_recorded(_market_folder(), "binance")
        if (recording.symbol, recording.time_frame) == ("BTC/USDT", "4h")
    )
    first, last = recording.range()
    return (first + last) / 2


def _state() -> dict[str, object]:
    return {
        "schema_version": 1,
        "automation": {
            "metadata": {"automation_id": "bench", "seed": "bench"},
            "defaults": {"symbol": "BTC/USDT", "time_frame": "4h"},
            "actions_dag": {"actions": [{"id": "buy", "dsl_script": SCRIPT}]},
        },
        "exchange_account_details": {
            "exchange_details": {"internal_name": "binance", "recorded": {"folder": str(_market_folder())}},
            "portfolio": {"content": [{"asset": "USDT", "total": "1000"}]},
        },
    }
