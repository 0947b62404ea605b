"""Whatever is killed, frozen, lost or delayed: every order exists once, and the state equals the books."""

from __future__ import annotations

import pytest
from temporalio.client import Client

from tests.chaos.storm import storm
from tests.chaos.workers import Nursery

RUNS = 200
RUNS_PER_STORM = 10


@pytest.mark.timeout(180)
async def test_a_storm_leaves_every_order_once_and_no_state_astray(client: Client, workers: Nursery):
    report = await storm(client, workers, 8, seed=1)

    assert report.problems == []
    assert report.killed > 0
    assert report.frozen > 0


@pytest.mark.timeout(180)
async def test_without_a_guard_the_same_storm_doubles_orders(client: Client, workers: Nursery):
    report = await storm(client, workers, 4, seed=1, guarded=False)

    assert any("is unknown" in problem for problem in report.problems)


@pytest.mark.slow
async def test_two_hundred_runs(client: Client, workers: Nursery):
    reports = [
        await storm(client, workers, RUNS_PER_STORM, seed) for seed in range(2, 2 + RUNS // RUNS_PER_STORM)
    ]

    assert [problem for report in reports for problem in report.problems] == []
    assert sum(report.killed + report.frozen for report in reports) >= RUNS
