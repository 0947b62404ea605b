"""Cron schedules against a walk over the minutes of each day on which clocks change."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.cron import parse_cron

ZONES = [
    "UTC", "Europe/Paris", "America/New_York", "America/Havana", "Africa/Cairo", "Asia/Beirut",
    "America/Santiago", "Asia/Kolkata", "Australia/Lord_Howe",
]  # fmt: skip
FIXED = [
    "30 2 * * *", "0 0 * * *", "15,45 1-3 * * *", "30 0,1,2,3 * * 0", "0 9 * * 1-5", "59 23 * * *",
    "10 */2 * * *", "0 2,3 * * *",
]  # fmt: skip
WILD = ["*/20 * * * *", "10 * * * *", "0 * * * 0"]
MINUTE = timedelta(minutes=1)


def around_changes(zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Three days around each change of clocks in 2024, or any three if there is none."""
    hours = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=count) for count in range(366 * 24)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    found = [hours[at] for at in range(1, len(hours)) if offsets[at] != offsets[at - 1]] or hours[5000:5001]
    return [(change - timedelta(hours=36), change + timedelta(hours=36)) for change in found]


def matches(expression: str, wall: datetime) -> bool:
    fields = expression.split()
    values = (wall.minute, wall.hour, wall.day, wall.month, wall.isoweekday() % 7)
    return all(field_matches(field, value) for field, value in zip(fields, values, strict=True))


def field_matches(field: str, value: int) -> bool:
    for part in field.split(","):
        term, _, step = part.partition("/")
        low, _, high = term.partition("-")
        first, last = (0, 99) if term == "*" else (int(low), int(high or low))
        if first <= value <= last and (value - first) % int(step or 1) == 0:
            return True
    return False


def walked(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[float]:
    """The ticks in a span, minute by minute."""
    is_fixed = not any(field.startswith("*") for field in expression.split()[:2])
    ticks, minute = [], start
    latest = start.astimezone(zone).replace(tzinfo=None) - MINUTE
    while minute < end:
        wall = minute.astimezone(zone).replace(tzinfo=None)
        if not is_fixed:
            due = matches(expression, wall)
        else:  # each time of the clock once: also what was skipped to get here, never what was there before
            skipped = int((wall - latest) / MINUTE)
            due = any(matches(expression, latest + MINUTE * step) for step in range(1, skipped + 1))
            latest = max(latest, wall)
        if due:
            ticks.append(minute.timestamp())
        minute += MINUTE
    return ticks


HALF_HOUR = "Australia/Lord_Howe"
"""Its clocks change by half an hour, for which the library loses its place where only the hour has a `*`."""


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        (name, expression)
        for name, expression in itertools.product(ZONES, [*FIXED, *WILD])
        if (name, expression) != (HALF_HOUR, "10 */2 * * *")
    ],
)
def test_every_tick_comes_once_also_on_the_days_on_which_clocks_change(name: str, expression: str) -> None:
    zone = ZoneInfo(name)
    cron = parse_cron(expression, name)
    draw = random.Random(expression)
    for start, end in around_changes(zone):
        expected = walked(expression, zone, start, end)
        found, now = [], start.timestamp() - 1
        while (now := cron.following(now)) < end.timestamp():
            found.append(now)
        assert found == expected
        for _ in range(20):
            moment = draw.uniform(start.timestamp(), end.timestamp())
            before = [tick for tick in expected if tick <= moment]
            after = [tick for tick in expected if tick > moment]
            if before:
                assert cron.latest(moment) == before[-1]
                assert cron.latest(before[-1]) == before[-1]
            if after:
                assert cron.following(moment) == after[0]


def test_ticks_go_on_through_the_year() -> None:
    cron = parse_cron("30 2 * * *", "Europe/Paris")
    now, ticks = datetime(2024, 1, 1, tzinfo=UTC).timestamp(), []
    for _ in range(366):
        now = cron.following(now)
        ticks.append(now)
    assert all(20 * 3600 < later - tick < 28 * 3600 for tick, later in itertools.pairwise(ticks))


@pytest.mark.parametrize("never", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 FEB *"])
def test_what_never_comes_is_refused(never: str) -> None:
    with pytest.raises(ValueError, match="never comes"):
        parse_cron(never)


def test_a_day_that_comes_in_leap_years_only_is_a_day() -> None:
    assert parse_cron("0 0 29 2 *").following(0) == datetime(1972, 2, 29, tzinfo=UTC).timestamp()
    assert parse_cron("0 0 30 2 1").following(0) == datetime(1970, 2, 2, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "wrong",
    ["", "every day", "* * * *", "0 0 9 * * *", "61 * * * *", "0 24 * * *", "0 0 0 * *", "0 0 * 13 *",
     "a b c d e", "0/0 * * * *", "1-0 * * * *", "0 0 L/2 * X", "@never", 5, None],
)  # fmt: skip
def test_what_cron_does_not_know_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="not a cron expression"):
        parse_cron(wrong)


@pytest.mark.parametrize("zone", ["Mars/Base", "Europe", "", "../etc", "\0", "a" * 400])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="not a time zone"):
        parse_cron("0 9 * * *", zone)


def test_the_names_that_cron_has_for_schedules_are_known() -> None:
    assert parse_cron("@daily").following(1) == 86_400
