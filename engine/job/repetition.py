"""Repetition of a DAG: when its next round starts, without drift."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from engine.cron import parse_cron
from engine.errors import ConfigurationError
from engine.job.dag import Dag
from engine.state import AutomationState, Schedule
from engine.timing import interval
from engine.types import Seconds, Timestamp


class Ticks(Protocol):
    """A sequence of instants without end."""

    def latest(self, now: Timestamp) -> Timestamp:
        """The newest tick that is not after `now`."""

    def following(self, now: Timestamp) -> Timestamp:
        """The first tick after `now`."""


@dataclass(frozen=True, slots=True)
class _Interval:
    first: Timestamp
    every: Seconds

    def latest(self, now: Timestamp) -> Timestamp:
        return self.first + math.floor((now - self.first) / self.every) * self.every

    def following(self, now: Timestamp) -> Timestamp:
        return self.latest(now) + self.every


def repeat(state: AutomationState, dag: Dag, now: Timestamp) -> None:
    """Begin the next round of a DAG whose actions are all done, if its schedule has one.

    Args:
        state: of the automation; its actions are reset.
        dag: of these actions.
        now: market time, UNIX seconds.

    Raises:
        ConfigurationError: as `start_next_round`.
    """
    schedule = state.automation.schedule
    if schedule is None or not all(one.is_completed for one in (*state.actions, *state.priority_actions)):
        return
    tick = start_next_round(schedule, now)
    if tick is None:
        return
    for action in state.actions:
        if not action.is_configuration:
            action.reset()
    for action in dag.unblocked():
        action.not_before = tick


def start_next_round(schedule: Schedule, now: Timestamp) -> Timestamp | None:
    """Count the round that ended and return when the next one starts; None when there is none.

    Ticks are counted from the first round, so a late or a long round does not shift them. Ticks
    that passed while a round was running are made up for by one round, due at once.

    Raises:
        ConfigurationError: the cron expression, the time zone or the interval is not valid.
    """
    schedule.ticks += 1
    if schedule.max is not None and schedule.ticks >= schedule.max:
        return None
    ticks = _ticks(schedule, now)
    served = schedule.last_tick if schedule.last_tick is not None else schedule.first_tick
    latest = ticks.latest(now)
    tick = latest if served is not None and latest > served else ticks.following(now)
    if schedule.until is not None and tick > schedule.until:
        return None
    schedule.last_tick = tick
    return tick


def _ticks(schedule: Schedule, now: Timestamp) -> Ticks:
    try:
        if schedule.every is not None:
            every = interval(schedule.every)
            return _Interval(schedule.first_tick if schedule.first_tick is not None else now, every)
        if schedule.cron is not None:
            return parse_cron(schedule.cron, schedule.timezone or "UTC")
    except ValueError as error:
        raise ConfigurationError(f"the schedule: {error}") from None
    raise ConfigurationError("the schedule has neither 'every' nor 'cron'; give one of the two")
