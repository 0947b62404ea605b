"""The automation's time: the workflow's clock, or that of a recorded market that runs at its own speed.

Real time only decides how long timers last. An invocation that its timer woke happens when it was due,
however late the machine is; so a paper run over a recorded market always gives the same result.
"""

from __future__ import annotations

from dataclasses import dataclass

from workflows.messages import Clock


@dataclass(frozen=True)
class RecordedTime:
    """When a recorded market starts (UNIX seconds), and its seconds per real second."""

    start: float
    speed: float


@dataclass(frozen=True)
class Waking:
    """When and why an invocation runs.

    Attributes:
        at: workflow time, UNIX seconds.
        due_at: when it was due, in the automation's time; None when nothing was.
        by_timer: whether it runs because it is due, and not because a message came.
        clock: the invocation before this one on both clocks; None if it had only one.
    """

    at: float
    due_at: float | None
    by_timer: bool
    clock: Clock | None


def automation_time(waking: Waking, recorded: RecordedTime | None) -> float:
    """Return the `now` of an invocation, UNIX seconds."""
    if recorded is None:
        # A timer may fire some milliseconds early, which must not make an action that is due wait again.
        return max(waking.at, waking.due_at or 0) if waking.by_timer else waking.at
    if waking.clock is None:
        return recorded.start
    if waking.by_timer and waking.due_at is not None:
        return waking.due_at
    elapsed = max(0.0, waking.at - waking.clock.real) * recorded.speed
    now = waking.clock.market + elapsed
    return now if waking.due_at is None else min(now, waking.due_at)


def workflow_time(moment: float, waking: Waking, now: float, recorded: RecordedTime | None) -> float:
    """Return when the workflow has to wake for a moment of the automation's time.

    Args:
        moment: automation time, UNIX seconds.
        waking: this invocation.
        now: its `automation_time`.
        recorded: the market's own clock, if it has one.
    """
    return moment if recorded is None else waking.at + (moment - now) / recorded.speed
