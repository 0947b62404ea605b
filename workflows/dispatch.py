"""Runs the activities of an automation, and reads what their failures mean."""

from __future__ import annotations

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

_Result = TypeVar("_Result")


class Dispatcher:
    """Schedules activities the way an automation's settings want it."""

    def __init__(self, settings: WorkflowSettings) -> None:
        self._options = workflow.ActivityConfig(
            start_to_close_timeout=timedelta(seconds=settings.invocation_timeout),
            schedule_to_close_timeout=timedelta(seconds=settings.attempts_timeout),
            heartbeat_timeout=timedelta(seconds=settings.heartbeat_timeout),
            retry_policy=RetryPolicy(maximum_attempts=settings.attempts),
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
