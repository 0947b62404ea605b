"""The activity `run_invocation`: one invocation of the engine, guarded, timed and made ready for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from temporalio import activity

from activities.answers import priority_answers
from activities.collector import QuietCollector
from activities.effects import count_open_orders, count_sent, degraded_reason, pending_effects
from activities.errors import application_error
from activities.heartbeat import beating
from activities.keys import check_keys
from activities.lease import Clocks, lease_of
from activities.log_context import logging_about
from activities.market_clock import Waking, automation_time, workflow_time
from activities.recorded_market import recorded_section, recorded_time
from activities.sizes import check_state_size, encoded_size, fit_state
from activities.view import build_view
from engine.job import AutomationJob, InvocationOutcome, InvocationRequest, InvocationStatus, Services
from engine.masking import masking
from engine.state import TriggerReason
from workflows.messages import Clock, InvocationResult, Json, RunInvocation

THIS_MACHINE: Final = Clocks()


class InvocationActivities:
    """The activities of a worker, with the engine's services injected.

    Args:
        services: the engine's seams; all invocations of the process share them.
        search_attributes: whether the server knows Octoflow's search attributes.
        encrypted: whether nobody can read in Temporal what invocations get and return.
        clocks: of this machine.
    """

    def __init__(
        self,
        services: Services | None = None,
        *,
        search_attributes: bool = False,
        encrypted: bool = False,
        clocks: Clocks = THIS_MACHINE,
    ) -> None:
        self._services = services or Services()
        self._search_attributes = search_attributes
        self._encrypted = encrypted
        self._clocks = clocks
        self._collector = QuietCollector()

    @activity.defn(name="run_invocation")
    async def run_invocation(self, request: RunInvocation) -> InvocationResult:
        """Run one invocation.

        Raises:
            ApplicationError: it did not happen, and the state that was sent is still the valid one.
        """
        info = activity.info()
        services = replace(self._services, lease=lease_of(info, self._clocks))
        about = logging_about(info.workflow_id or "", _iteration(request.state) + 1)
        with self._collector.off(), about, beating(), masking():
            try:
                return await self._run(request, services)
            except Exception as error:
                raise application_error(error) from None

    async def _run(self, request: RunInvocation, services: Services) -> InvocationResult:
        check_state_size(request.state)
        inline_keys = check_keys(request.state, encrypted=self._encrypted)
        before = _with_run_key(request.state, request.run_key)
        waking = Waking(request.woken_at, request.due_at, request.trigger == "scheduled", request.clock)
        recorded = recorded_time(before)
        now = automation_time(waking, recorded)
        job = AutomationJob(_engine_request(request, before, now), services)
        outcome = await job.run()
        after = job.dump()
        outcome.notes += inline_keys
        if given_up := fit_state(after, now):
            outcome.notes.append(f"the state would be too large with the results of {', '.join(given_up)}")
        result = self._result(after, outcome)
        result.answers = priority_answers(before, after, outcome, now)
        result.woken_at = waking.at
        if recorded is not None:
            result.clock = Clock(real=waking.at, market=now)
        if recorded_section(after) != recorded_section(before):
            result.wake_at = waking.at  # it has just got its market, whose clock starts with the next one
        elif outcome.next_due_at is not None:
            result.due_at = outcome.next_due_at
            result.wake_at = workflow_time(outcome.next_due_at, waking, now, recorded)
        return result

    def _result(self, state: Json, outcome: InvocationOutcome) -> InvocationResult:
        shown = outcome.model_dump(mode="json", exclude_defaults=True)
        return InvocationResult(
            state=state,
            status=outcome.status.value,
            reason=_why(state, outcome),
            outcome=shown,
            outcome_size=encoded_size(shown),
            priority_due=outcome.priority_due,
            iteration=outcome.iteration,
            pending_effects=len(pending_effects(state)),
            sent_effects=count_sent(state),
            open_orders=count_open_orders(state),
            view=build_view(state, outcome, with_attributes=self._search_attributes),
        )


def _engine_request(request: RunInvocation, state: Json, now: float) -> InvocationRequest:
    return InvocationRequest(
        state=state,
        now=now,
        trigger=TriggerReason(request.trigger),
        scheduled_to=request.due_at or 0,
        priority_actions=request.priority_actions,
        signals=request.signals,
        approved=request.decisions.approved,
        rejected=request.decisions.rejected,
        resolved=request.decisions.resolved,
        paused=request.paused,
        # Automations that an older release carries ask for the cancellation only.
        stopping=request.stopping or request.cancel_open_orders,
        cancel_open_orders=request.cancel_open_orders,
    )


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


def _why(state: Json, outcome: InvocationOutcome) -> str | None:
    if outcome.status is not InvocationStatus.POSTPONED:
        return None
    return degraded_reason(state)
