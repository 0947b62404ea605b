"""Cron expressions: the instants they name in a time zone, by Vixie's rule for changed clocks.

What names a minute and an hour runs once a day: a time that the clocks skip comes as soon as they have, one
that they repeat comes the first time. What has a `*` there runs as often as the clocks show it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.types import Seconds, Timestamp

if TYPE_CHECKING:
    from cronsim import CronSim

_NAMED: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS: Final = 5
_SOME_TIME: Final = datetime(2024, 1, 1, tzinfo=UTC)

_CHANGE: Final[Seconds] = 26 * 3_600
"""More than clocks were ever changed by: so far around an instant are the local times that may be it."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The ticks of a cron expression of five fields in a time zone; made by `parse_cron`."""

    expression: str
    zone: ZoneInfo

    def latest(self, now: Timestamp) -> Timestamp:
        """The newest tick that is not after `now`."""
        start = math.floor(now) + 1 + self._slack  # the library's ticks are strictly before its start
        return next(tick for tick in self._ticks(start, reverse=True) if tick <= now)

    def following(self, now: Timestamp) -> Timestamp:
        """The first tick after `now`."""
        return next(tick for tick in self._ticks(now - self._slack) if tick > now)

    @property
    def _slack(self) -> Seconds:
        minute, hour, *_ = self.expression.split()
        return 0 if minute.startswith("*") or hour.startswith("*") else _CHANGE

    def _ticks(self, start: Timestamp, *, reverse: bool = False) -> Iterator[Timestamp]:
        local = datetime.fromtimestamp(start, UTC).astimezone(self.zone)
        for tick in _simulation(self.expression, local, reverse=reverse):
            yield tick.timestamp()


def _simulation(expression: str, start: datetime, *, reverse: bool = False) -> CronSim:
    from cronsim import CronSim  # only automations with a cron schedule need it

    return CronSim(expression, start, reverse=reverse)


def time_zone(name: object) -> ZoneInfo:
    """Return a time zone.

    Raises:
        ValueError: there is none of this name.
    """
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; expected a name such as Europe/Paris") from None


def parse_cron(expression: object, zone: str = "UTC") -> Cron:
    """Return the ticks of a cron expression.

    Raises:
        ValueError: it is not of five fields that cron knows, it never comes, or there is no such time zone.
    """
    text = _NAMED.get(str(expression).strip().lower(), expression)
    if not isinstance(text, str) or len(text.split()) != _FIELDS or not _is_valid(_in_any_month(text)):
        raise ValueError(
            f"{expression!r} is not a cron expression; expected five fields such as '0 9 * * 1-5'"
        )
    if not _is_valid(text) or next(iter(_simulation(text, _SOME_TIME)), None) is None:
        raise ValueError(f"{expression!r} never comes: no month has such a day")
    return Cron(" ".join(text.split()), time_zone(zone))


def _in_any_month(text: str) -> str:
    minute, hour, day, month, weekday = text.split()
    if not _is_valid(f"0 0 * {month} *"):
        return text
    return f"{minute} {hour} {day} * {weekday}"


def _is_valid(text: str) -> bool:
    from cronsim import CronSimError

    try:
        _simulation(text, _SOME_TIME)
    except (CronSimError, ValueError, TypeError, AssertionError, RecursionError):
        return False
    return True
