"""The activity `run_invocation`: one invocation of the engine, guarded, timed and made ready for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from temporalio import activity

from activities.answers import priority_answers
from activities.cancelling import cancel_actions, require_cancelled
from activities.collector import QuietCollector
from activities.errors import application_error
from activities.heartbeat import beating
from activities.log_context import logging_about
from activities.market_clock import Waking, automation_time, workflow_time
from activities.recorded_market import recorded_section, recorded_time
from activities.sizes import check_result_size, check_state_size, encoded_size
from activities.view import build_view
from engine.errors import PostponeError
from engine.invocation import InvocationOutcome, InvocationRequest, InvocationStatus
from engine.job import AutomationJob
from engine.services import Services
from engine.state import TriggerReason
from workflows.messages import Clock, InvocationResult, Json, RunInvocation


class InvocationActivities:
    """The activities of a worker, with the engine's services injected.

    Args:
        services: the engine's seams; all invocations of the process share them.
        search_attributes: whether the server knows Octoflow's search attributes.
    """

    def __init__(self, services: Services | None = None, *, search_attributes: bool = False) -> None:
        self._services = services or Services()
        self._search_attributes = search_attributes
        self._collector = QuietCollector()

    @activity.defn(name="run_invocation")
    async def run_invocation(self, request: RunInvocation) -> InvocationResult:
        """Run one invocation.

        Raises:
            ApplicationError: it did not happen, and the state that was sent is still the valid one.
        """
        automation_id = activity.info().workflow_id or ""
        iteration = _iteration(request.state) + 1
        with self._collector.off(), logging_about(automation_id, iteration), beating():
            try:
                return await self._run(request)
            except Exception as error:
                raise application_error(error) from None

    async def _run(self, request: RunInvocation) -> InvocationResult:
        check_state_size(request.state)
        before = _with_run_key(request.state, request.run_key)
        waking = Waking(request.woken_at, request.due_at, request.trigger == "scheduled", request.clock)
        recorded = recorded_time(before)
        now = automation_time(waking, recorded)
        if request.cancel_open_orders:
            after, outcome = await self._cancel(request, before, now)
        else:
            after, outcome = await self._invoke(request, before, now, request.priority_actions)
        result = self._result(after, outcome)
        result.answers = priority_answers(before, after, outcome, now)
        if recorded is not None:
            result.clock = Clock(real=waking.at, market=now)
        if recorded_section(after) != recorded_section(before):
            result.wake_at = waking.at  # it has just got its market, whose clock starts with the next one
        elif outcome.next_due_at is not None:
            result.due_at = outcome.next_due_at
            result.wake_at = workflow_time(outcome.next_due_at, waking, now, recorded)
        check_result_size(encoded_size(result))
        return result

    def _result(self, state: Json, outcome: InvocationOutcome) -> InvocationResult:
        shown = outcome.model_dump(mode="json", exclude_defaults=True)
        return InvocationResult(
            state=state,
            status=outcome.status.value,
            reason=outcome.notes[-1] if outcome.status is InvocationStatus.POSTPONED else None,
            outcome=shown,
            outcome_size=encoded_size(shown),
            priority_due=outcome.priority_due,
            iteration=outcome.iteration,
            view=build_view(state, outcome, with_attributes=self._search_attributes),
        )

    async def _cancel(
        self, request: RunInvocation, state: Json, now: float
    ) -> tuple[Json, InvocationOutcome]:
        actions = cancel_actions(state)
        if not actions:
            return state, InvocationOutcome(
                status=InvocationStatus.RUNNING, iteration=_iteration(state), at=now
            )
        after, outcome = await self._invoke(request, state, now, actions)
        require_cancelled(after, outcome)
        return after, outcome

    async def _invoke(
        self, request: RunInvocation, state: Json, now: float, actions: Sequence[Mapping[str, Any]]
    ) -> tuple[Json, InvocationOutcome]:
        job = AutomationJob(
            InvocationRequest(
                state=state,
                now=now,
                trigger=TriggerReason(request.trigger),
                scheduled_to=request.due_at or 0,
                priority_actions=actions,
                paused=request.paused,
            ),
            self._services,
        )
        try:
            outcome = await job.run()
        except PostponeError as postponed:
            return dict(postponed.state), InvocationOutcome(
                status=InvocationStatus.POSTPONED,
                iteration=_iteration(postponed.state),
                at=now,
                next_due_at=now + postponed.delay,
                notes=[f"{postponed.reason}: {postponed.message}"],
            )
        return job.dump(), outcome


def _with_run_key(state: Json, run_key: str) -> Json:
    """Return the state with the name that effects derive their ids from; once set, it stays."""
    automation = state.get("automation", {})
    metadata = automation.get("metadata", {})
    if metadata.get("run_key"):
        return state
    return {**state, "automation": {**automation, "metadata": {**metadata, "run_key": run_key}}}


def _iteration(state: Mapping[str, Any]) -> int:
    iteration: int = state.get("automation", {}).get("execution", {}).get("iteration", 0)
    return iteration
