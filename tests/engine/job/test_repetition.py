"""Repetition: ticks are counted from the first round, and missed ones become one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.errors import ConfigurationError
from engine.job.repetition import start_next_round
from engine.state import Schedule


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_late_round_does_not_shift_the_ticks_behind_it() -> None:
    schedule = Schedule(every=100, first_tick=1_000)

    assert start_next_round(schedule, 1_003) == 1_100
    assert start_next_round(schedule, 1_107) == 1_200


def test_ticks_missed_during_a_long_round_become_one_that_is_due_at_once() -> None:
    schedule = Schedule(every=100, first_tick=1_000)

    assert start_next_round(schedule, 1_350) == 1_300
    assert start_next_round(schedule, 1_360) == 1_400


def test_a_tick_that_falls_on_the_end_of_its_round_counts_once() -> None:
    schedule = Schedule(every=100, first_tick=1_000)

    assert start_next_round(schedule, 1_000) == 1_100
    assert start_next_round(schedule, 1_200) == 1_200
    assert start_next_round(schedule, 1_200) == 1_300


def test_max_bounds_the_rounds_in_all() -> None:
    schedule = Schedule(every=100, first_tick=0, max=2)

    assert start_next_round(schedule, 0) == 100
    assert start_next_round(schedule, 100) is None
    assert schedule.ticks == 2


def test_no_round_starts_after_until() -> None:
    schedule = Schedule(every=100, first_tick=0, until=150)

    assert start_next_round(schedule, 0) == 100
    assert start_next_round(schedule, 100) is None


def test_a_cron_schedule_follows_its_time_zone_through_the_change_of_clocks() -> None:
    schedule = Schedule(cron="0 9 * * 1-5", timezone="Europe/Paris", first_tick=at("2024-03-28T12:00"))

    assert start_next_round(schedule, at("2024-03-28T12:00")) == at("2024-03-29T08:00")
    assert start_next_round(schedule, at("2024-03-29T08:00")) == at("2024-04-01T07:00")


def test_a_cron_tick_missed_during_a_round_is_made_up_for_once() -> None:
    schedule = Schedule(cron="0 * * * *", first_tick=at("2024-01-01T00:10"))

    assert start_next_round(schedule, at("2024-01-01T03:20")) == at("2024-01-01T03:00")
    assert start_next_round(schedule, at("2024-01-01T03:30")) == at("2024-01-01T04:00")


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (Schedule(), "neither 'every' nor 'cron'"),
        (Schedule.model_construct(every=0), "expected a positive duration"),
        (Schedule(cron="every day"), "not a cron expression"),
        (Schedule(cron="0 9 * * *", timezone="Mars/Base"), "'Mars/Base' is not a time zone"),
    ],
)
def test_a_wrong_schedule_says_what_is_expected(schedule: Schedule, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        start_next_round(schedule, 1_000)
