"""How an automation looks in Temporal: its details, the summaries of its timers, its search attributes."""

from __future__ import annotations

from typing import Final

from workflows.messages import Json, StatusReport
from workflows.search_attributes import NEXT_RUN, STATUS, date_of

NEXT_RUN_SHOWN_FROM: Final = 600
"""Seconds ahead from which the next run is a search attribute: setting one costs an event."""


def details(report: StatusReport) -> str:
    """Return the automation as Markdown: its status, its next run, then what the activity rendered."""
    lines = [f"**{report.status.replace('_', ' ')}** after {report.iteration} invocations"]
    if report.reason:
        lines.append(report.reason)
    if report.due_at is not None:
        lines.append(f"{'Due' if report.status == 'paused' else 'Next run'}: {moment(report.due_at)}")
    if report.dropped_signals:
        lines.append(f"{report.dropped_signals} signals were dropped, the last: {report.dropped_why}")
    return "\n\n".join([*lines, report.details])


def timer_summary(report: StatusReport) -> str:
    """Return what the running timer waits for."""
    if report.status == "retrying":
        return f"attempt {report.failures + 1}"
    return f"next run {moment(report.due_at)}" if report.due_at is not None else "next run"


def attributes(report: StatusReport, account: Json, now: float) -> Json:
    """Return the values of all search attributes.

    Args:
        report: how the automation stands.
        account: the values that the activity knows.
        now: workflow time of the last invocation.
    """
    wake_at = None if report.status == "paused" else report.wake_at
    distant = wake_at is not None and wake_at - now >= NEXT_RUN_SHOWN_FROM
    shown = wake_at if distant and wake_at is not None and date_of(wake_at) else None
    return {**account, STATUS.name: report.status, NEXT_RUN.name: shown}


def moment(seconds: float) -> str:
    """Return UNIX seconds as a time that people read; any number can be shown."""
    at = date_of(seconds)
    return f"never ({seconds:g})" if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")
