"""Whatever is killed, frozen, lost or delayed: every order exists once, and the state equals the books."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import Client

from tests.chaos.incidents import CREATE, LOOK_UP, AtRequest, Blow, OnTheWay, Plan, random_plans
from tests.chaos.storm import storm
from tests.chaos.workers import Nursery
from tests.support.loopback import Late, Moment
from tests.support.unguarded import Guard

RUNS = 200
RUNS_PER_STORM = 10
WEAK_SPOTS: dict[Guard, Plan] = {
    Guard.NONE: [AtRequest(Blow.KILL, CREATE, 0, Moment.AFTER)],
    Guard.NO_FENCE: [OnTheWay(Late(0.45), CREATE, 0)],
    Guard.NO_LEASE: [
        AtRequest(Blow.STOP, LOOK_UP, 0, Moment.AFTER),
        AtRequest(Blow.GO_ON, CREATE, 0, Moment.AFTER),
    ],
}
"""What goes wrong when a part of the guard is missing: the worker dies when its order was accepted and
nobody knows; an order arrives after it was looked up; a frozen worker goes on when another one has acted."""

ATTEMPTS = {Guard.NONE: 2, Guard.NO_FENCE: 2, Guard.NO_LEASE: 5}
"""Automations that it is shown with: tasks can get lost in a frozen worker, until nothing is left to show."""

pytestmark = pytest.mark.timeout(180)


async def test_a_storm_leaves_every_order_once_and_no_state_astray(client: Client, workers: Nursery) -> None:
    plans = [*random_plans(9, seed=1), *WEAK_SPOTS.values()]

    report = await storm(client, workers, plans, seed=1)

    assert report.problems == []
    assert report.killed > 0
    assert report.frozen > 0


async def test_without_a_part_of_the_guard_orders_are_doubled(client: Client, workers: Nursery) -> None:
    storms = [
        storm(client, workers, [plan] * ATTEMPTS[guard], seed=1, guard=guard, neighbours=1)
        for guard, plan in WEAK_SPOTS.items()
    ]

    for guard, report in zip(WEAK_SPOTS, await asyncio.gather(*storms), strict=True):
        assert any("is unknown" in problem for problem in report.problems), guard


@pytest.mark.slow
@pytest.mark.timeout(1_800)
async def test_two_hundred_runs(client: Client, workers: Nursery) -> None:
    reports = [
        await storm(client, workers, random_plans(RUNS_PER_STORM, seed), seed)
        for seed in range(2, 2 + RUNS // RUNS_PER_STORM)
    ]

    assert [problem for report in reports for problem in report.problems] == []
    assert sum(report.killed + report.frozen for report in reports) >= RUNS
