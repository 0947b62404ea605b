"""Where an automation stands between invocations, and what results, failures and messages change in it."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from workflows.carried import Carried
from workflows.failures import Failure, retry_delay
from workflows.messages import EditResult, InvocationResult, Json, Status, StatusReport, WorkflowSettings
from workflows.pending import (
    Meanwhile,
    Occasion,
    Pending,
    PendingDecision,
    PendingEdit,
    PendingExecution,
)
from workflows.stopping import Stopping

ENDED: Final[frozenset[Status]] = frozenset({"finished", "stopped"})
NOT_HELD: Final = ENDED | {"needs_attention"}
"""What a pause does not hide."""

RETRYABLE: Final[frozenset[Status]] = frozenset(
    {"needs_attention", "retrying", "postponed", "awaiting_approval"}
)
"""What a person can send on."""

LOOK_AGAIN: Final = 10.0
"""Least seconds between two look-ups of effects under way in a pause."""

EARLY: Final = 1.0
"""Seconds by which an invocation that is due may run early; more than that is ahead of its time."""


class Progress:
    """The automation's standing: plain state changes, which never wait for anything.

    All times are workflow time in UNIX seconds.

    Attributes:
        kept: what survives continue-as-new.
        executions: `execute` updates, in order; the first one may be under way.
        triggers: `trigger` updates that the next invocation answers.
        decisions: `approve`, `reject` and `resolve` updates, in order.
        edits: `edit` updates, in order.
        stopping: `stop` updates, and how far the winding down is.
        woken: whether a message came since the loop began to wait.
        serves_late: whether the end of an invocation leaves alone what came while it was under way. Runs that
            began before this was known go on as they were recorded.
        meanwhile: what came since the invocation under way began; None when there is none.
    """

    def __init__(self, carried: Carried, settings: WorkflowSettings) -> None:
        self.kept = carried
        self.executions: deque[PendingExecution] = deque()
        self.triggers: list[Pending] = []
        self.decisions: deque[PendingDecision] = deque()
        self.edits: deque[PendingEdit] = deque()
        self.stopping = Stopping(settings)
        self.woken = self.serves_late = False
        self.meanwhile: Meanwhile | None = None
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

    @property
    def waiting_messages(self) -> int:
        """How many messages wait for their answers, besides those that end the automation."""
        return len(self.executions) + len(self.triggers) + len(self.decisions) + len(self.edits)

    def next_wake(self) -> float | None:
        """When to act next: 0 for at once, None when only a message can tell.

        What is due at once follows from recorded values alone, never from the clock: a replay has to agree.
        """
        if self.stopping.asked:
            return self.stopping.again_at
        if self.edits:
            return 0
        if self.needs_attention:
            return None
        if self.paused and not self._asked_for and not self.kept.priority_due:
            look_at = self.kept.look_at
            return None if look_at is None else max(look_at, self.kept.retry_at or 0)
        if self.triggers and not self.paused:
            return 0
        if self.kept.retry_at is not None:
            return self.kept.retry_at
        return 0 if self._asked_for or self._runs_at_once or self._is_due else self.report.wake_at

    @property
    def _is_due(self) -> bool:
        """Whether the last invocation said that the next one comes right behind it."""
        wake_at = self.report.wake_at
        return wake_at is not None and wake_at <= self.kept.woken_at

    @property
    def _asked_for(self) -> bool:
        return bool(self.decisions) or self.next_execution is not None

    @property
    def _runs_at_once(self) -> bool:
        return not self.paused and (
            self.kept.edited or self.kept.forced or (self._listens and bool(self.kept.signals))
        )

    @property
    def _listens(self) -> bool:
        """Whether the next invocation can follow signals, and not only run priority actions or wait."""
        return not self.kept.priority_due and self.report.status != "postponed"

    def wake(self) -> None:
        """A message came: do not wait for the timer."""
        self.woken = True
        self.kept.retry_at = None
        if self.meanwhile is not None:
            self.meanwhile.hurried = True

    def receive(self, signal: Json) -> None:
        """A leader said something: the next invocation hears it, soon but without haste after failures."""
        self.kept.queue_signals(self.kept.signals, [signal])
        self.woken = True

    def trigger_later(self) -> None:
        """An invocation was asked for in a pause: it runs when the automation is resumed."""
        self.kept.forced = True

    def drop_signal(self, why: str) -> None:
        """Something came that is no signal."""
        self.report.dropped_signals += 1
        self.report.dropped_why = why

    def next_occasion(self, now: float) -> Occasion:
        """Return what the next invocation is for; what it takes is handed back with its result or failure.

        Args:
            now: workflow time.
        """
        wake_at = self.report.wake_at
        ahead = self.kept.edited or wake_at is None or wake_at - now > EARLY
        if self.serves_late:
            self.meanwhile = Meanwhile()
        decision = self.decisions[0] if self.decisions else None
        execution = None if decision else self.next_execution
        runs_the_dag = not self.paused and execution is None
        edited = self.serves_late and runs_the_dag and self.kept.edited
        self.kept.edited &= not edited
        if self.paused or decision or execution:
            return Occasion(
                decision=decision, execution=execution, edited=edited, ahead=ahead, paused=self.paused
            )
        triggers, self.triggers = self.triggers, []
        signals: list[Json] = []
        if not self.kept.priority_due:
            signals, self.kept.signals = self.kept.signals, signals
        forced, self.kept.forced = self.kept.forced, False
        return Occasion(triggers=triggers, signals=signals, forced=forced, edited=edited, ahead=ahead)

    def keep(self, result: InvocationResult, occasion: Occasion, now: float) -> None:
        """Take over what an invocation says about the future, and answer the messages it ran for.

        Args:
            result: of the invocation.
            occasion: what it was for.
            now: workflow time.
        """
        self._take_over(result, now)
        self._end_invocation(occasion)
        self._stand(result.status, result.reason)
        self._answer(result, occasion.execution)
        if occasion.decision is not None:
            self.decisions.remove(occasion.decision)
            occasion.decision.finish()
        if result.status == "postponed":  # nothing was done, so that nobody has heard them
            self.kept.queue_signals(occasion.signals, self.kept.signals)
        if result.status == "finished" and (self.executions or self.decisions):
            self._stand("running")  # messages that came during the last invocation are still handled
        elif result.status in ENDED:
            self.end(result.status)
        elif self._is_blocked_after(result):
            self.need_attention("nothing is due and nothing will be: its pending actions are blocked")
        for pending in occasion.triggers:
            pending.finish()

    def _end_invocation(self, occasion: Occasion) -> Meanwhile:
        """Return what came while it was under way."""
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is None:
            return Meanwhile()
        if occasion.paused and not self.paused:
            self.kept.edited |= self.kept.pending_effects > 0  # those that it has held
        return meanwhile

    def _is_blocked_after(self, result: InvocationResult) -> bool:
        idle = result.status == "running" and result.wake_at is None and not result.pending_effects
        return idle and not (self.executions or self.decisions or (self.serves_late and self._is_asked_on))

    @property
    def _is_asked_on(self) -> bool:
        """Whether another invocation is wanted, which may find what this one did not."""
        return bool(
            self.kept.edited or self.kept.forced or self.triggers or (self._listens and self.kept.signals)
        )

    def _take_over(self, result: InvocationResult, now: float) -> None:
        kept, report = self.kept, self.report
        kept.woken_at, kept.clock = result.woken_at, result.clock
        kept.next_actions = result.view.next_actions
        kept.account_attributes = result.view.attributes
        kept.failing_since = kept.retry_at = None
        kept.remember_outcome(result.outcome, result.outcome_size)
        kept.priority_due = result.priority_due
        kept.edited &= self.serves_late  # otherwise it is taken when the invocation begins
        kept.pending_effects = result.pending_effects
        kept.look_at = max(result.wake_at or 0, now + LOOK_AGAIN) if result.sent_effects else None
        report.failures = 0
        report.iteration = result.iteration
        report.due_at, report.wake_at = _instant(result.due_at), _instant(result.wake_at)
        report.outcome, report.details = result.outcome, result.view.details

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
            return "it goes on when the automation is resumed: what it planned, or depends on, is held"
        return None

    def fail(self, failure: Failure, occasion: Occasion, now: float) -> None:
        """An invocation failed: blame the message that caused it, or try again later, or ask a person.

        Args:
            failure: why the activity gave up.
            occasion: what the invocation was for.
            now: workflow time.
        """
        self.kept.queue_signals(occasion.signals, self.kept.signals)
        self.kept.edited |= occasion.edited
        self.kept.forced |= occasion.forced
        meanwhile = self._end_invocation(occasion)
        for pending in occasion.triggers:
            pending.fail(failure.message)
        if failure.permanent and occasion.execution is not None:
            self.executions.remove(occasion.execution)
            occasion.execution.fail(failure.message)
        elif failure.permanent and occasion.decision is not None:
            self.decisions.remove(occasion.decision)
            occasion.decision.fail(failure.message)
        elif failure.permanent:
            if not meanwhile.sent_on:
                self.need_attention(failure.message)
        elif not occasion.triggers:  # what is due meanwhile is tried, and retried, on its own
            self._retry_later(failure, now, at_once=meanwhile.hurried)

    def _retry_later(self, failure: Failure, now: float, *, at_once: bool) -> None:
        kept, report = self.kept, self.report
        report.failures += 1
        kept.failing_since = now if kept.failing_since is None else kept.failing_since
        failing_for = now - kept.failing_since
        if failing_for >= self._settings.give_up_after:
            hours = failing_for / 3600
            self.need_attention(f"{report.failures} failures in {hours:.0f} h, the last: {failure.message}")
            return
        kept.retry_at = 0 if at_once else now + retry_delay(failure, report.failures, self._settings)
        self._stand("retrying", failure.message)

    def need_attention(self, reason: str) -> None:
        """Run nothing until a person has looked at it."""
        self._stand("needs_attention", reason)
        self.kept.retry_at = None
        self._fail_waiting(f"the automation needs attention: {reason}")

    def retry(self) -> None:
        """A person has looked at it, or does not want to wait for the next attempt."""
        self.kept.failing_since = None
        self.kept.edited |= self.report.status in ("postponed", "awaiting_approval")
        if self.meanwhile is not None:
            self.kept.edited = self.meanwhile.sent_on = True
        self._stand("running")
        self.report.failures = 0
        if self.report.wake_at is None:
            self.report.wake_at = self.kept.woken_at
        self.wake()

    def edited(self, result: EditResult) -> None:
        """The actions are others now: see at once which of them are ready, and when the next one is due."""
        self.kept.edited = True
        self.kept.next_actions, self.report.details = result.view.next_actions, result.view.details
        if self.needs_attention:
            self.retry()  # the edit is what a person did about it
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
        if self.meanwhile is None:  # otherwise its end tells
            self.kept.edited |= self.kept.pending_effects > 0  # those that the pause has held
        self.kept.edited |= self.serves_late and self.kept.priority_due  # the DAG may be due before that
        if held is not None and not self.needs_attention:
            self.report.status = held
        self.wake()

    def _stand(self, status: Status, reason: str | None = None) -> None:
        hidden = self.paused and status not in NOT_HELD
        if hidden:
            self.kept.held = status
        self.report.status, self.report.reason = "paused" if hidden else status, reason

    def wound_down(self, result: InvocationResult, now: float) -> None:
        """Take over a round of winding down: end, or wait for what is still under way.

        Args:
            result: of the round's invocation.
            now: workflow time.
        """
        self._take_over(result, now)
        if self.serves_late and self.stopping.asks_for_more:
            return
        left = self.stopping.left_by(result)
        if left is None or result.status in ENDED:
            self.end("stopped", left and _unsettled(left))
        elif self.stopping.goes_on_after(result, now):
            self._explain(f"it stops as soon as this is settled: {left}")
        else:
            self.end("stopped", _unsettled(left))

    def winding_down_failed(self, failure: Failure, now: float) -> None:
        """A round of winding down failed: try again for a while, then end, or go on where that is safer.

        Args:
            failure: why its activity gave up.
            now: workflow time.
        """
        if self.serves_late and self.stopping.asks_for_more:
            return
        if self.stopping.goes_on_after(failure, now):
            self._explain(f"it stops when this has passed: {failure.message}")
        elif self.stopping.cancels:
            reason = f"it goes on, since its open orders could not be cancelled: {failure.message}"
            self._explain(reason)
            self.stopping.refuse(reason, unheard_too=not self.serves_late)
        else:
            self.end("stopped", _unsettled(f"{failure.message} (effects: {self.kept.pending_effects})"))

    def _explain(self, reason: str) -> None:
        if not self.needs_attention:  # whose reason a person must not lose
            self.report.reason = reason

    def end(self, status: Status, reason: str | None = None) -> None:
        """Run nothing any more."""
        self._stand(status, reason)
        self.report.due_at = self.report.wake_at = None
        self._fail_waiting(f"the automation has ended: {status}")
        self.stopping.finish()
        for edit in self.edits:
            edit.fail(f"the automation has ended: {status}")
        self.edits.clear()

    def _fail_waiting(self, reason: str) -> None:
        for pending in (*self.executions, *self.decisions, *self.triggers):
            pending.fail(reason)
        self.executions.clear()
        self.decisions.clear()
        self.triggers.clear()


def _instant(seconds: float | None) -> float | None:
    """Return an instant to wait for; one that is no number never comes."""
    return seconds if seconds is not None and math.isfinite(seconds) else None


def _unsettled(what: str) -> str:
    return f"compare the exchange with the final state, this was not settled: {what}"
