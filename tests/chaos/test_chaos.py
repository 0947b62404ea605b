"""Whatever is killed, frozen, lost or delayed: every order exists once, and the state equals the books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.chaos.storm import storm
from tests.support.temporal import development_server

RUNS_OF_MAKE_CHAOS = 200
RUNS_PER_STORM = 10


@pytest.fixture
async def client(temporal_binary: Path) -> AsyncIterator[Client]:
    """A client of a real server, in memory."""
    async with development_server(temporal_binary) as environment:
        yield environment.client


@pytest.mark.timeout(180)
async def test_a_storm_leaves_every_order_once_and_no_state_astray(client: Client):
    report = await storm(client, 12, seed=1)

    assert report.problems == []
    assert report.killed + report.frozen >= report.runs / 2


@pytest.mark.timeout(180)
async def test_without_a_guard_the_same_storm_doubles_orders(client: Client):
    report = await storm(client, 12, seed=1, guarded=False)

    assert any("is unknown" in problem for problem in report.problems)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 2 + RUNS_OF_MAKE_CHAOS // RUNS_PER_STORM))
async def test_two_hundred_runs(client: Client, seed: int):
    report = await storm(client, RUNS_PER_STORM, seed)

    assert report.problems == []
