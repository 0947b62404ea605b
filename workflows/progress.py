"""Where an automation stands between invocations, and what results, failures and messages change in it."""

from __future__ import annotations

from collections import deque
from typing import Final

from workflows.failures import Failure, retry_delay
from workflows.messages import (
    Carried,
    EditResult,
    InvocationResult,
    Status,
    StatusReport,
    WorkflowSettings,
)
from workflows.pending import Pending, PendingEdit, PendingExecution, PendingStop

ENDED: Final[frozenset[Status]] = frozenset({"finished", "stopped"})
NOT_HELD: Final = ENDED | {"needs_attention"}
"""What a pause does not hide."""


class Progress:
    """The automation's standing: plain state changes, which never wait for anything.

    All times are workflow time in UNIX seconds.

    Attributes:
        kept: what survives continue-as-new.
        executions: `execute` updates, in order; the first one may be under way.
        triggers: `trigger` updates that the next invocation answers.
        edits: `edit` updates, in order.
        stops: `stop` updates.
        woken: whether a message came since the loop began to wait.
    """

    def __init__(self, carried: Carried, settings: WorkflowSettings) -> None:
        self.kept = carried
        self.executions: deque[PendingExecution] = deque()
        self.triggers: list[Pending] = []
        self.edits: deque[PendingEdit] = deque()
        self.stops: list[PendingStop] = []
        self.woken = False
        self._settings = settings

    @property
    def report(self) -> StatusReport:
        """How the automation stands, for people."""
        return self.kept.report

    @property
    def ended(self) -> bool:
        """Whether nothing will run any more."""
        return self.report.status in ENDED

    @property
    def paused(self) -> bool:
        """Whether nothing but priority actions may run."""
        return self.kept.held is not None

    @property
    def needs_attention(self) -> bool:
        """Whether it waits for a person."""
        return self.report.status == "needs_attention"

    @property
    def next_execution(self) -> PendingExecution | None:
        """The priority actions that the next invocation has to add, if any."""
        head = self.executions[0] if self.executions else None
        return head if head and not head.merged else None

    def next_wake(self) -> float | None:
        """When to act next; None when only a message can tell."""
        if self.stops or self.edits:
            return 0
        if self.needs_attention or (self.paused and not (self.next_execution or self.kept.priority_due)):
            return None
        if self.triggers and not self.paused:
            return 0
        if self.kept.retry_at is not None:
            return self.kept.retry_at
        return 0 if self.next_execution or self._runs_at_once else self.report.wake_at

    @property
    def _runs_at_once(self) -> bool:
        return self.kept.edited and not self.paused

    def wake(self) -> None:
        """A message came: do not wait for the timer."""
        self.woken = True
        self.kept.retry_at = None

    def take_triggers(self) -> list[Pending]:
        """Return the triggers that the next invocation answers: all of them, but none while paused."""
        if self.paused:
            return []
        taken, self.triggers = self.triggers, []
        return taken

    def keep(self, result: InvocationResult, execution: PendingExecution | None = None) -> None:
        """Take over what an invocation says about the future.

        Args:
            result: of the invocation.
            execution: the update whose actions it added to the state, if any.
        """
        kept, report = self.kept, self.report
        kept.clock, kept.next_actions = result.clock, result.view.next_actions
        kept.account_attributes = result.view.attributes
        kept.failing_since = kept.retry_at = None
        kept.remember_outcome(result.outcome, result.outcome_size)
        kept.priority_due, kept.edited = result.priority_due, False
        self._stand(result.status, result.reason)
        report.failures = 0
        report.iteration, report.due_at, report.wake_at = result.iteration, result.due_at, result.wake_at
        report.outcome, report.details = result.outcome, result.view.details
        self._answer(result, execution)
        if result.status == "finished" and self.executions:
            self._stand("running")  # messages that came during the last invocation are still handled
        elif result.status in ENDED:
            self.end(result.status)
        elif result.status == "running" and result.wake_at is None and not self.executions:
            self.need_attention("nothing is due and nothing will be: its pending actions are blocked")

    def _answer(self, result: InvocationResult, execution: PendingExecution | None) -> None:
        if execution is not None:
            execution.merged = True
        head = self.executions[0] if self.executions else None
        if head and head.merged and head.answer(result.answers, otherwise=self._why_unanswered(result)):
            self.executions.popleft()

    def _why_unanswered(self, result: InvocationResult) -> str | None:
        if result.status in ENDED:
            return "the automation ended before this action ran"
        if self.paused and not result.priority_due:
            return "it depends on actions that run when the automation is resumed, and runs after them"
        return None

    def fail(
        self, failure: Failure, execution: PendingExecution | None, triggers: list[Pending], now: float
    ) -> None:
        """An invocation failed: blame the message that caused it, or try again later, or ask a person.

        Args:
            failure: why the activity gave up.
            execution: the update whose actions the invocation was to run, if any.
            triggers: the updates that asked for the invocation.
            now: workflow time.
        """
        for pending in triggers:
            pending.fail(failure.message)
        if execution is not None and failure.permanent:
            self.executions.remove(execution)
            execution.fail(failure.message)
        elif failure.permanent:
            self.need_attention(failure.message)
        elif not triggers:  # what is due meanwhile is tried, and retried, on its own
            self._retry_later(failure.message, now)

    def _retry_later(self, reason: str, now: float) -> None:
        kept, report = self.kept, self.report
        report.failures += 1
        kept.failing_since = now if kept.failing_since is None else kept.failing_since
        failing_for = now - kept.failing_since
        if failing_for >= self._settings.give_up_after:
            hours = failing_for / 3600
            self.need_attention(f"{report.failures} failures in {hours:.0f} h, the last: {reason}")
            return
        kept.retry_at = now + retry_delay(report.failures, self._settings)
        self._stand("retrying", reason)

    def need_attention(self, reason: str) -> None:
        """Run nothing until a person has looked at it."""
        self._stand("needs_attention", reason)
        self.kept.retry_at = None
        self._fail_waiting(f"the automation needs attention: {reason}")

    def retry(self, now: float) -> None:
        """A person has looked at it, or does not want to wait for the next attempt."""
        self.kept.failing_since = None
        self._stand("running")
        self.report.failures = 0
        if self.report.wake_at is None:
            self.report.wake_at = now
        self.wake()

    def edited(self, result: EditResult, now: float) -> None:
        """The actions are others now: see at once which of them are ready, and when the next one is due."""
        self.kept.edited = True
        self.kept.next_actions, self.report.details = result.view.next_actions, result.view.details
        if self.needs_attention:
            self.retry(now)  # the edit is what a person did about it
        self.wake()

    def pause(self) -> None:
        """Run nothing but priority actions until `resume`; what is due meanwhile runs after it."""
        if not self.paused:
            self.kept.held = "running" if self.needs_attention else self.report.status
            self._stand(self.report.status, self.report.reason)
            self.kept.failing_since = None
            self.woken = True

    def resume(self) -> None:
        """Run what has become due, and go on."""
        held, self.kept.held = self.kept.held, None
        self.kept.failing_since = None  # the time of a pause does not count as one of failures
        if held is not None and not self.needs_attention:
            self.report.status = held
        self.wake()

    def _stand(self, status: Status, reason: str | None = None) -> None:
        hidden = self.paused and status not in NOT_HELD
        if hidden:
            self.kept.held = status
        self.report.status, self.report.reason = "paused" if hidden else status, reason

    def end(self, status: Status) -> None:
        """Run nothing any more."""
        self._stand(status)
        self.report.due_at = self.report.wake_at = None
        self._fail_waiting(f"the automation has ended: {status}")
        for stop in self.stops:
            stop.finish()
        for edit in self.edits:
            edit.fail(f"the automation has ended: {status}")
        self.edits.clear()

    def refuse_stops(self, reason: str) -> None:
        """Let the automation go on, since it cannot be stopped the way it was asked to."""
        for stop in self.stops:
            stop.fail(reason)
        self.stops.clear()

    def _fail_waiting(self, reason: str) -> None:
        for pending in (*self.executions, *self.triggers):
            pending.fail(reason)
        self.executions.clear()
        self.triggers.clear()
