"""A lease never outlives the time after which another worker may have taken over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

from temporalio import activity
from temporalio.testing import ActivityEnvironment

from activities.lease import Clocks, lease_of
from tests.support.builders import NOW

HEARTBEAT = timedelta(seconds=20)


@dataclass
class Machine:
    """A machine whose clocks the test sets: seconds since boot, and UNIX seconds."""

    uptime: float = 5_000
    time: float = NOW

    @property
    def clocks(self) -> Clocks:
        return Clocks(since_boot=lambda: self.uptime, wall=lambda: self.time)

    def runs(self, seconds: float) -> None:
        """Let time pass on both clocks, whether the machine works or is suspended."""
        self.uptime += seconds
        self.time += seconds


def attempt(started: float = NOW, **fields: Any) -> activity.Info:
    """An attempt that the server handed out at a time of its own clock."""
    moment = datetime.fromtimestamp(started, UTC)
    given: dict[str, Any] = {"heartbeat_timeout": HEARTBEAT, "started_time": moment, "scheduled_time": moment}
    given |= {"schedule_to_close_timeout": None, **fields}
    return replace(ActivityEnvironment.default_info(), **given)


def test_a_lease_lasts_as_long_as_silence_is_believed() -> None:
    machine = Machine()
    lease = lease_of(attempt(), machine.clocks)
    assert lease.remaining() == 20
    machine.runs(15)
    assert lease.remaining() == 5


def test_the_last_attempt_ends_with_the_time_of_all_attempts() -> None:
    ten_minutes_ago = datetime.fromtimestamp(NOW - 595, UTC)
    last = attempt(scheduled_time=ten_minutes_ago, schedule_to_close_timeout=timedelta(minutes=10))
    lease = lease_of(last, Machine().clocks)
    assert lease.remaining() == 5
    assert lease.length == 20


def test_a_machine_that_was_suspended_finds_its_lease_over() -> None:
    machine = Machine()
    lease = lease_of(attempt(), machine.clocks)
    machine.runs(3_600)
    assert lease.remaining() < 0


def test_a_wall_clock_that_is_set_back_gives_no_more_time() -> None:
    machine = Machine()
    lease = lease_of(attempt(), machine.clocks)
    machine.runs(15)
    machine.time -= 3_600
    assert lease.remaining() == 5


def test_a_wall_clock_that_is_late_from_the_start_gives_no_more_time() -> None:
    lease = lease_of(attempt(), Machine(time=NOW - 60).clocks)
    assert lease.remaining() == 20


def test_a_wall_clock_that_is_ahead_only_makes_it_more_careful() -> None:
    lease = lease_of(attempt(), Machine(time=NOW + 12).clocks)
    assert lease.remaining() == 8


def test_a_task_that_waited_in_a_suspended_machine_has_less_time() -> None:
    machine = Machine(time=NOW + 18)
    lease = lease_of(attempt(started=NOW), machine.clocks)
    assert lease.remaining() == 2


def test_without_heartbeats_the_longest_time_of_an_attempt_counts() -> None:
    limit = timedelta(minutes=5)
    lease = lease_of(attempt(heartbeat_timeout=None, start_to_close_timeout=limit), Machine().clocks)
    assert lease.remaining() == 300


def test_without_any_timeout_nobody_takes_over() -> None:
    lease = lease_of(attempt(heartbeat_timeout=None, start_to_close_timeout=None), Machine().clocks)
    assert lease.remaining() == inf


def test_the_clock_of_this_machine_goes_on() -> None:
    clocks = Clocks()
    before = clocks.since_boot()
    assert clocks.since_boot() >= before
