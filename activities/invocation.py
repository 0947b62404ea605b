"""The activity `run_invocation`: one invocation of the engine, guarded, timed and made ready for people."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from temporalio import activity

from activities.answers import ended_priority_actions, priority_answers
from activities.collector import QuietCollector
from activities.errors import as_application_errors
from activities.heartbeat import beating
from activities.keys import check_keys
from activities.lease import Clocks, lease_of
from activities.log_context import logging_about
from activities.market_clock import Waking, automation_time, workflow_time
from activities.recorded_market import recorded_time
from activities.sizes import check_state_size, encoded_size, fit_state
from activities.view import build_view
from engine.job import AutomationJob, InvocationOutcome, InvocationRequest, InvocationStatus, Services
from engine.masking import masking
from engine.state import AutomationState, TriggerReason, load_state
from engine.types import Timestamp
from workflows.messages import Clock, InvocationResult, RunInvocation

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
        name = info.workflow_id or ""
        with self._collector.off(), logging_about(name), beating(), masking(), as_application_errors():
            check_state_size(request.state)
            state = load_state(request.state)
            with logging_about(name, state.iteration + 1), as_application_errors():
                return await self._run(request, state, services)

    async def _run(
        self, request: RunInvocation, state: AutomationState, services: Services
    ) -> InvocationResult:
        inline_keys = check_keys(state, encrypted=self._encrypted)
        state.name_run(request.run_key)
        waking = Waking(request.woken_at, request.due_at, request.trigger == "scheduled", request.clock)
        market, recorded = state.exchange.recorded, recorded_time(state.exchange)
        now = automation_time(waking, recorded)
        ended_before = ended_priority_actions(state)
        job = AutomationJob(_engine_request(request, state, now), services)
        outcome = await job.run()
        outcome.notes += inline_keys
        result = self._result(job, outcome, now)
        result.answers = priority_answers(ended_before, job.state, outcome, now)
        result.woken_at = waking.at
        if recorded is not None:
            result.clock = Clock(real=waking.at, market=now)
        if job.state.exchange.recorded != market:
            result.wake_at = waking.at  # it has just got its market, whose clock starts with the next one
        elif outcome.next_due_at is not None:
            result.due_at = outcome.next_due_at
            result.wake_at = workflow_time(outcome.next_due_at, waking, now, recorded)
        return result

    def _result(self, job: AutomationJob, outcome: InvocationOutcome, now: Timestamp) -> InvocationResult:
        state, dumped = job.state, job.dump()
        if given_up := fit_state(state, encoded_size(dumped), now):
            outcome.notes.append(f"the state would be too large with the results of {', '.join(given_up)}")
            dumped = job.dump()
        shown = outcome.model_dump(mode="json", exclude_defaults=True)
        postponed = outcome.status is InvocationStatus.POSTPONED
        return InvocationResult(
            state=dumped,
            status=outcome.status.value,
            reason=state.degraded_reason if postponed else None,
            outcome=shown,
            outcome_size=encoded_size(shown),
            priority_due=outcome.priority_due,
            iteration=outcome.iteration,
            pending_effects=len(state.pending_effects),
            sent_effects=len(state.sent_effects),
            open_orders=len(state.open_orders),
            view=build_view(state, outcome, with_attributes=self._search_attributes),
        )


def _engine_request(request: RunInvocation, state: AutomationState, now: Timestamp) -> InvocationRequest:
    return InvocationRequest(
        state=state,
        hands_state_over=True,
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
