"""How long an attempt of an activity may act before Temporal may have started the next one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import Final

from temporalio import activity

from engine.live import Lease
from engine.types import Seconds

_BOOT_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


def _since_boot() -> Seconds:
    """Return a clock that also runs while the machine is suspended, where there is one."""
    return time.monotonic() if _BOOT_CLOCK is None else time.clock_gettime(_BOOT_CLOCK)


@dataclass(frozen=True, slots=True)
class Clocks:
    """The two clocks of this machine that a lease is measured with, in seconds.

    Attributes:
        since_boot: never set, and not stopped by a suspended machine (Linux).
        wall: UNIX time, as comparable to the server's as this machine's clock is right.
    """

    since_boot: Callable[[], Seconds] = _since_boot
    wall: Callable[[], Seconds] = time.time


def lease_of(info: activity.Info, clocks: Clocks) -> Lease:
    """Return the lease of an attempt that begins now.

    The server gives up an attempt that is silent for its heartbeat timeout; the first heartbeats may have
    been lost, so that time is counted from the start. It gives up a late attempt earlier, when the time of
    all attempts is over, and a message may start the next invocation right then. An attempt began on the
    server before it began here, perhaps long before: a task can lie in a suspended machine. The clock that
    says most time has passed is believed.

    Args:
        info: of the attempt.
        clocks: of this machine.
    """
    length = _seconds(info.heartbeat_timeout) or _seconds(info.start_to_close_timeout) or inf
    waited = (info.started_time - info.scheduled_time).total_seconds()
    limit = min(length, (_seconds(info.schedule_to_close_timeout) or inf) - waited)
    started_here, started_there = clocks.since_boot(), info.started_time.timestamp()

    def remaining() -> Seconds:
        return limit - max(clocks.since_boot() - started_here, clocks.wall() - started_there)

    return Lease(remaining, length)


def _seconds(timeout: timedelta | None) -> Seconds:
    return timeout.total_seconds() if timeout else 0
