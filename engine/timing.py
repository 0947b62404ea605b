"""What a duration and a moment may be: one check for each, whose errors say what was probably meant."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator

from engine.types import Seconds, Timestamp

LONGEST: Final[Seconds] = 36_525 * 86_400
"""A hundred years: nothing waits for longer."""

LEAST_INTERVAL: Final[Seconds] = 1
"""Whoever writes a file with rounds that follow each other faster means something else."""

SLOWEST: Final = 0.001
FASTEST: Final = 1e9
"""Market seconds per real second of a recorded market: a day of it takes three years, or no time at all."""

_LAST: Final[Timestamp] = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
"""Behind every moment that a person writes down."""

_FIRST_NUMBER: Final[Timestamp] = 1e8
"""In 1973: who writes a smaller number in a file means something else."""

_MILLISECONDS: Final = 1e11
"""As seconds in the year 5138, as milliseconds in 1973: moments from here on are no seconds."""

_YEARS: Final = range(1900, 2201)
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PART: Final = r"(\d{1,15}(?:\.\d{1,15})?)\s*([smhdw])"
_DURATION: Final = re.compile(rf"\s*(?:{_PART}\s*)+", re.ASCII)


def duration(value: Seconds, *, least: Seconds = 0) -> Seconds:
    """Return a number of seconds that something can last or wait for.

    Raises:
        ValueError: it is below `least`, longer than a hundred years, or no number.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a duration; write seconds")
    if value < least:
        raise ValueError(f"{value:g} s is too short: at least {least:g} s")
    if value > LONGEST:
        meant = (
            f"; this looks like milliseconds, write {value / 1000:.15g}" if _is_milliseconds(value) else ""
        )
        raise ValueError(f"{value:.15g} s is longer than a hundred years{meant}")
    return value


def interval(value: Seconds) -> Seconds:
    """Return seconds between two rounds: any above zero, since an engine that spins stops by itself.

    Raises:
        ValueError: it is none, or as `duration` says.
    """
    if value <= 0:
        raise ValueError(f"{value:g} s between two rounds: expected a positive duration")
    return duration(value)


def _is_milliseconds(value: float) -> bool:
    return value == int(value) and value / 1000 <= LONGEST


def parse_duration(value: object, *, least: Seconds = 0) -> Seconds:
    """Return seconds for a number of seconds or a text such as `90s`, `4h`, `1d12h`.

    Raises:
        ValueError: the value is neither, or as `duration` says.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return duration(_as_float(value), least=least)
    if isinstance(value, str) and _DURATION.fullmatch(value):
        parts = re.findall(_PART, value, re.ASCII)
        try:
            return duration(sum(float(number) * _UNITS[unit] for number, unit in parts), least=least)
        except ValueError as error:
            raise ValueError(f"{value!r}: {error}") from None
    raise ValueError(f"{value!r} is not a duration; write seconds, or a text such as 90s, 15m, 4h or 1d12h")


def moment(value: Timestamp) -> Timestamp:
    """Return UNIX seconds that can stand in a state: so far ahead that no delay of an automation leads out.

    Raises:
        ValueError: it is below 0, in milliseconds, or no number.
    """
    if 0 <= value < _MILLISECONDS:
        return value
    raise ValueError(f"{value:.15g} is not a moment in UNIX seconds{_meant(value)}")


def _meant(value: Timestamp) -> str:
    if value in _YEARS:
        return f"; this looks like a year, write {value:.15g}-01-01"
    if _MILLISECONDS <= value < _MILLISECONDS * 1000:
        return f"; this looks like milliseconds, write {value / 1000:.15g}"
    return ", such as 1709251200"


def parse_moment(value: object) -> Timestamp:
    """Return UNIX seconds for a number or an ISO 8601 text, which means UTC if it names no zone.

    Raises:
        ValueError: the value is neither, or not a moment that can be meant; with what may be.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = _as_float(value)
        if _FIRST_NUMBER <= seconds < _LAST:
            return seconds
        raise ValueError(f"{seconds:.15g} is not a moment in UNIX seconds{_meant(seconds)}")
    try:
        read = datetime.fromisoformat(str(value))
        seconds = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"{value!r} is not a date; write 2024-03-01 or 2024-03-01T12:00:00Z") from None
    if not 0 <= seconds < _LAST:
        raise ValueError(f"{value!r} is not a date from 1970 up to the year 2200")
    return seconds


def speed(value: float) -> float:
    """Return market seconds per real second.

    Raises:
        ValueError: so slow or so fast that it cannot be meant.
    """
    if not SLOWEST <= value <= FASTEST:
        raise ValueError(
            f"a speed of {value:g} market seconds a second; {SLOWEST:g} to {FASTEST:g} are possible"
        )
    return value


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


Moment = Annotated[float, AfterValidator(moment)]
"""UNIX seconds in a state."""

Interval = Annotated[float, AfterValidator(interval)]
"""Seconds between two rounds, in a state."""

Delay = Annotated[float, AfterValidator(duration)]
"""Seconds to wait."""

Speed = Annotated[float, AfterValidator(speed)]
"""Market seconds per real second."""
