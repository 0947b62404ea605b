"""Runs the activities of an automation, and reads what their failures mean."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from workflows.failures import Failure
from workflows.messages import (
    ApplyEdit,
    EditResult,
    InvocationResult,
    RunInvocation,
    WorkflowSettings,
)

MAX_SUMMARY: Final = 200

MOST_ATTEMPTS: Final = 1_000
SHORTEST: Final = 0.01
LONGEST: Final = 30 * 86_400.0
"""Seconds within which every timeout is kept: settings come from outside, and none may stall a workflow."""

_Result = TypeVar("_Result")


class Dispatcher:
    """Schedules activities the way an automation's settings want it."""

    def __init__(self, settings: WorkflowSettings) -> None:
        self._options = workflow.ActivityConfig(
            start_to_close_timeout=_span(settings.invocation_timeout),
            schedule_to_close_timeout=_span(settings.attempts_timeout),
            heartbeat_timeout=_span(settings.heartbeat_timeout),
            retry_policy=RetryPolicy(maximum_attempts=min(max(settings.attempts, 1), MOST_ATTEMPTS)),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )

    async def invoke(self, request: RunInvocation, summary: str) -> InvocationResult | Failure:
        """Run an invocation.

        Args:
            request: what to run.
            summary: what Temporal's UI shows of it.
        """
        return await self._run("run_invocation", request, InvocationResult, summary)

    async def edit(self, request: ApplyEdit) -> EditResult | Failure:
        """Change the actions of a state."""
        return await self._run("apply_edit", request, EditResult, "edit")

    async def _run(
        self, name: str, request: RunInvocation | ApplyEdit, result_type: type[_Result], summary: str
    ) -> _Result | Failure:
        options: workflow.ActivityConfig = {**self._options, "summary": summary[:MAX_SUMMARY]}
        try:
            result: _Result = await workflow.execute_activity(
                name, request, result_type=result_type, **options
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return Failure.of(error)
        return result


def _span(seconds: float) -> timedelta:
    """Return a timeout that the server takes, whatever number it was made of."""
    known = seconds if math.isfinite(seconds) else LONGEST
    return timedelta(seconds=min(max(known, SHORTEST), LONGEST))
