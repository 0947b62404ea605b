"""The invocation's time, and texts that spell a time."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Final

from engine.dsl import Kind, Number, OperatorContext, OperatorSet, Range, Unit, operator
from engine.errors import DslError
from engine.timing import parse_duration
from engine.types import Seconds, Timestamp

SET: Final = OperatorSet("time", "The invocation's time, and texts that spell a time.")


@operator(SET, kind=Kind.READ, example="now() - 3600")
def now(context: OperatorContext) -> Timestamp:
    """Return the time of this invocation, in UNIX seconds."""
    return context.now


@operator(SET, kind=Kind.READ, example="now_ms()")
def now_ms(context: OperatorContext) -> int:
    """Return the time of this invocation, in UNIX milliseconds."""
    return round(context.now * 1000)


@operator(SET, kind=Kind.READ, example="8 <= hour() < 18")
def hour(context: OperatorContext) -> int:
    """Return the hour of the day of this invocation, 0 to 23, UTC."""
    return datetime.fromtimestamp(context.now, UTC).hour


@operator(SET, kind=Kind.READ, example="weekday() < 5")
def weekday(context: OperatorContext) -> int:
    """Return the day of the week of this invocation, UTC: 0 is Monday, 6 is Sunday."""
    return datetime.fromtimestamp(context.now, UTC).weekday()


@operator(SET, kind=Kind.PURE, example="now() > date('2024-03-01')")
def date(text: str) -> Timestamp:
    """Return the UNIX seconds of a date, with or without a time of day.

    Args:
        text: in ISO form, `2024-03-01` or `2024-03-01T12:30:00+01:00`; UTC when it names no offset.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DslError(f"{text!r} is not a date such as '2024-03-01' or '2024-03-01T12:30'") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@operator(SET, kind=Kind.PURE, example="wait(seconds('1h30m'))")
def seconds(text: str) -> Seconds:
    """Return the seconds of a duration.

    Args:
        text: numbers with units: w, d, h, m, s, as in `1h30m` or `2d`; at most 100 years.
    """
    try:
        return parse_duration(text)
    except ValueError as error:
        raise DslError(str(error)) from None


@operator(SET, kind=Kind.READ, example="oscillate(100, 10, 60)")
def oscillate(
    context: OperatorContext,
    base: Number,
    max_percent: Annotated[Number, Unit("percent")],
    period_minutes: Annotated[Number, Range(gt=0), Unit("minutes")],
) -> float:
    """Return a value that swings around a base as a sine of the time.

    Args:
        base: the value in the middle.
        max_percent: the largest distance from the base, in percent of it.
        period_minutes: duration of one swing.
    """
    phase = 2 * math.pi * context.now / (float(period_minutes) * 60)
    return float(base) * (1 + float(max_percent) / 100 * math.sin(phase))
