"""The automation workflow: wait until due or woken, run one invocation, keep the new state, repeat."""

from __future__ import annotations

from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.carried import AutomationInput, Carried
from workflows.dispatch import Dispatcher
from workflows.failures import Failure
from workflows.forms import BUSY, MAX_EDIT, alone, read, read_nothing, refusal, signal_in
from workflows.messages import (
    ApplyEdit,
    ApproveRequest,
    AutomationResult,
    Decisions,
    EditAnswer,
    EditRequest,
    ExecuteAnswer,
    ExecuteRequest,
    InvocationResult,
    Json,
    RejectRequest,
    ResolveRequest,
    RunInvocation,
    Status,
    StatusReport,
    StopRequest,
)
from workflows.pending import Occasion, Pending, PendingDecision, PendingEdit, PendingExecution, PendingStop
from workflows.presentation import attributes, details, timer_summary
from workflows.progress import RETRYABLE, Progress
from workflows.search_attributes import changed_attributes

SHORTEST_WAIT: Final = 0.001
"""Seconds."""

LONGEST_WAIT: Final = 30 * 86_400.0
"""Seconds of one timer; what is due later waits for several."""

MAX_WAITING: Final = 6
"""Messages that may wait for their answers; the server allows ten, and control messages need room."""


@workflow.defn(name="Automation")
class Automation:
    """Carries one automation's state from invocation to invocation, for as long as it lives.

    The state is opaque here. An automation that fails never fails its workflow: it needs attention,
    and waits for a retry or a stop.
    """

    @workflow.init
    def __init__(self, start: AutomationInput) -> None:
        self._settings = start.settings
        self._state = start.state
        carried = start.carried or Carried.at_start(start, workflow.time())
        self._progress = Progress(carried, start.settings)
        self._dispatcher = Dispatcher(start.settings)
        self._was_reset = self._waits_by_records = self._answers_at_once = False
        self._shown: Status | None = None
        workflow.register_random_seed_callback(self._on_reset)

    @workflow.run
    async def run(self, start: AutomationInput) -> AutomationResult:  # noqa: ARG002 - read by __init__
        """Run the automation until it has finished or is stopped."""
        self._was_reset |= _was_reset_to_start()
        self._waits_by_records = workflow.patched("wait-by-records")
        self._progress.serves_late = workflow.patched("serve-late-messages")
        self._answers_at_once = workflow.patched("answer-in-a-pause")
        self._show()
        while not self._progress.ended:
            await self._wait_until_due()
            if self._should_continue_as_new():
                carried = self._progress.kept
                workflow.continue_as_new(
                    AutomationInput(state=self._state, settings=self._settings, carried=carried)
                )
            await self._act()
            self._progress.report.updated_at = workflow.time()
            if self._progress.report.status != self._shown:
                self._show()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return AutomationResult(summary=self._progress.report, state=self._state)

    async def _wait_until_due(self) -> None:
        while not (self._was_reset or self._should_continue_as_new()):
            at = self._progress.next_wake()
            if at == 0:
                return
            delay = None if at is None else at - workflow.time()
            if delay is not None and delay <= 0:
                if not self._waits_by_records:  # as runs did that began before this was known
                    return
                # What is overdue waits for a timer as well. A query that waited for a worker can make it take
                # in what followed with the clock of the task before; a replay takes it in with the right
                # clock, and has to come to the same commands.
                delay = SHORTEST_WAIT
            self._progress.woken = False
            self._show()
            if await self._timer_rang(delay) and self._progress.next_wake() is not None:
                return  # otherwise it has been paused at the same moment

    async def _timer_rang(self, delay: float | None) -> bool:
        """Wait until a message comes, or for a delay in seconds; return whether that is over.

        What is far away takes several timers, one after the other: a single one has its bounds.
        """
        left = delay
        while True:
            step = None if left is None else min(left, LONGEST_WAIT)
            try:
                await workflow.wait_condition(
                    lambda: self._progress.woken or self._should_continue_as_new(),
                    timeout=step,
                    timeout_summary=timer_summary(self._progress.report),
                )
                return False
            except TimeoutError:
                left = None if left is None else left - LONGEST_WAIT
                if left is None or left <= 0:
                    return True

    def _should_continue_as_new(self) -> bool:
        """Whether this run is long enough, and at a quiet point: no message waits for an answer."""
        info, limit = workflow.info(), self._settings.continue_as_new_after
        suggested = info.is_continue_as_new_suggested() or (
            limit is not None and info.get_current_history_length() >= limit
        )
        return suggested and workflow.all_handlers_finished()

    async def _act(self) -> None:
        if self._was_reset:
            self._was_reset = False
            self._progress.need_attention(
                "an operator reset its history: check its orders, then retry or stop it"
            )
        elif self._progress.stopping.asked:
            await self._wind_down()
        elif self._progress.edits:
            await self._edit(self._progress.edits[0])
        else:
            await self._invoke()

    async def _invoke(self) -> None:
        occasion = self._progress.next_occasion(workflow.time())
        result = await self._run_invocation(occasion)
        if isinstance(result, Failure):
            self._progress.fail(result, occasion, workflow.time())
        else:
            self._state = result.state
            self._progress.keep(result, occasion, workflow.time())

    async def _wind_down(self) -> None:
        """End, after a round that settles what is under way and cancels orders if asked to."""
        progress = self._progress
        if not (progress.stopping.cancels or progress.kept.pending_effects):
            progress.end("stopped")
            return
        progress.stopping.begin_round()
        result = await self._run_invocation(Occasion(ahead=True), stopping=True)
        if isinstance(result, Failure):
            progress.winding_down_failed(result, workflow.time())
        else:
            self._state = result.state
            progress.wound_down(result, workflow.time())

    async def _edit(self, pending: PendingEdit) -> None:
        result = await self._dispatcher.edit(ApplyEdit(state=self._state, edit=pending.request))
        self._progress.edits.remove(pending)
        if isinstance(result, Failure):
            pending.fail(result.message)
            return
        self._state, pending.changes = result.state, result.changes
        self._progress.edited(result)
        pending.finish()

    async def _run_invocation(
        self, occasion: Occasion, *, stopping: bool = False
    ) -> InvocationResult | Failure:
        info, progress = workflow.info(), self._progress
        report = progress.report
        names = ", ".join(action["id"] for action in occasion.actions) or progress.kept.next_actions
        request = RunInvocation(
            state=self._state,
            run_key=f"{info.workflow_id}/{info.first_execution_run_id}",
            trigger=occasion.trigger,
            woken_at=workflow.time(),
            due_at=report.due_at,
            clock=progress.kept.clock,
            priority_actions=occasion.actions,
            signals=occasion.signals,
            decisions=occasion.decisions,
            paused=progress.paused,
            stopping=stopping,
            cancel_open_orders=stopping and progress.stopping.cancels,
        )
        return await self._dispatcher.invoke(request, f"iteration {report.iteration + 1}: {names}")

    def _show(self) -> None:
        """Bring Temporal's UI and lists up to date; without a wait in between, nobody would see it."""
        kept = self._progress.kept
        self._shown = kept.report.status
        workflow.set_current_details(details(kept.report))
        if kept.account_attributes is None:  # an attribute unknown to the server would stall us for ever
            return
        now = kept.woken_at if self._waits_by_records else workflow.time()
        values = attributes(kept.report, kept.account_attributes, now)
        if updates := changed_attributes(kept.attributes, values):
            workflow.upsert_search_attributes(updates)
            kept.attributes = values

    @workflow.update
    async def execute(self, *sent: Any) -> ExecuteAnswer:
        """Run priority actions (`ExecuteRequest`); return when each of them has ended or waits."""
        return await alone(self._execute(read("execute", ExecuteRequest, sent)))

    @execute.validator
    def _accept_execution(self, *sent: Any) -> None:
        read("execute", ExecuteRequest, sent)
        if _update_id() not in self._progress.kept.answers:
            self._require_able()

    async def _execute(self, request: ExecuteRequest) -> ExecuteAnswer:
        kept, update_id = self._progress.kept, _update_id()
        if update_id not in kept.answers:
            pending = PendingExecution(actions=request.actions)
            self._progress.executions.append(pending)
            self._progress.wake()
            await pending.wait()
            kept.remember_answer(update_id, pending.result)
            return pending.result
        return kept.answers[update_id]

    @workflow.update
    async def trigger(self, *_sent: Any) -> StatusReport:
        """Run an invocation now; return how the automation stands after it.

        In a pause it is answered at once, and runs when the automation is resumed.
        """
        return await alone(self._trigger())

    @trigger.validator
    def _accept_trigger(self, *sent: Any) -> None:
        read_nothing("trigger", sent)
        self._require_able()

    async def _trigger(self) -> StatusReport:
        if self._answers_at_once and self._progress.paused:
            self._progress.trigger_later()
            return self._progress.report
        pending = Pending()
        self._progress.triggers.append(pending)
        self._progress.wake()
        await pending.wait()
        return self._progress.report

    @workflow.update
    async def approve(self, *sent: Any) -> StatusReport:
        """Let effects that wait for a person be sent (`ApproveRequest`)."""
        request = read("approve", ApproveRequest, sent)
        return await alone(self._decide(Decisions(approved=request.keys)))

    @approve.validator
    def _accept_approval(self, *sent: Any) -> None:
        read("approve", ApproveRequest, sent)
        self._require_able()

    @workflow.update
    async def reject(self, *sent: Any) -> StatusReport:
        """Refuse effects that wait for a person (`RejectRequest`): their scripts get an error."""
        request = read("reject", RejectRequest, sent)
        return await alone(self._decide(Decisions(rejected=dict.fromkeys(request.keys, request.reason))))

    @reject.validator
    def _accept_rejection(self, *sent: Any) -> None:
        read("reject", RejectRequest, sent)
        self._require_able()

    @workflow.update
    async def resolve(self, *sent: Any) -> StatusReport:
        """Say what became of an effect that no look-up settles (`ResolveRequest`)."""
        request = read("resolve", ResolveRequest, sent)
        return await alone(self._decide(Decisions(resolved={request.key: request.placed})))

    @resolve.validator
    def _accept_resolution(self, *sent: Any) -> None:
        read("resolve", ResolveRequest, sent)
        self._require_able()

    async def _decide(self, decisions: Decisions) -> StatusReport:
        pending = PendingDecision(decisions=decisions)
        self._progress.decisions.append(pending)
        self._progress.wake()
        await pending.wait()
        return self._progress.report

    @workflow.signal
    def trading_signal(self, *sent: Any) -> None:
        """What a leader did, for an automation that copies it; what is no signal is noted and dropped."""
        signal = signal_in(sent)
        if isinstance(signal, str):
            self._progress.drop_signal(signal)
        elif not self._progress.ended:
            self._progress.receive(signal)

    @workflow.update
    async def edit(self, *sent: Any) -> EditAnswer:
        """Change the actions (`EditRequest`), between two invocations; what is ready then runs at once."""
        return await alone(self._accept(read("edit", EditRequest, sent, most=MAX_EDIT)))

    @edit.validator
    def _accept_edit(self, *sent: Any) -> None:
        read("edit", EditRequest, sent, most=MAX_EDIT)
        self._require_not_ended()
        self._require_room()

    async def _accept(self, request: EditRequest) -> EditAnswer:
        pending = PendingEdit(request=request)
        self._progress.edits.append(pending)
        self._progress.woken = True  # not `wake`: an edit that is refused changes no delay
        await pending.wait()
        return EditAnswer(changes=pending.changes, report=self._progress.report)

    @workflow.update
    async def retry(self, *_sent: Any) -> StatusReport:
        """Go on after a person has looked at what needed attention, or at once after a failure."""
        self._progress.retry()
        return self._progress.report

    @retry.validator
    def _accept_retry(self, *sent: Any) -> None:
        read_nothing("retry", sent)
        status = self._progress.report.status
        if status not in RETRYABLE:
            hint = "; it is paused: resume it" if self._progress.paused else ""
            raise refusal(f"there is nothing to retry: the automation is {status}{hint}")

    @workflow.update
    async def pause(self, *_sent: Any) -> StatusReport:
        """Run nothing but priority actions from now on; an invocation under way is completed."""
        self._progress.pause()
        return self._progress.report

    @pause.validator
    def _accept_pause(self, *sent: Any) -> None:
        read_nothing("pause", sent)
        self._require_not_ended()

    @workflow.update
    async def resume(self, *_sent: Any) -> StatusReport:
        """End a pause: what became due in it runs now."""
        self._progress.resume()
        return self._progress.report

    @resume.validator
    def _accept_resume(self, *sent: Any) -> None:
        read_nothing("resume", sent)
        status = self._progress.report.status
        if not self._progress.paused:
            hint = "; what you want is `retry`" if status in RETRYABLE else ""
            raise refusal(f"there is nothing to resume: the automation is {status}{hint}")

    @workflow.update
    async def stop(self, *sent: Any) -> StatusReport:
        """End the automation after the current invocation (`StopRequest`); return its final summary."""
        return await alone(self._stop(read("stop", StopRequest, sent)))

    @stop.validator
    def _accept_stop(self, *sent: Any) -> None:
        read("stop", StopRequest, sent)

    async def _stop(self, request: StopRequest) -> StatusReport:
        if not self._progress.ended:
            pending = PendingStop(cancel_open_orders=request.cancel_open_orders)
            self._progress.stopping.ask(pending)
            self._progress.wake()
            await pending.wait()
        return self._progress.report

    @workflow.query
    def status(self, *_sent: Any) -> StatusReport:
        """How the automation stands."""
        return self._progress.report

    @workflow.query
    def state(self, *_sent: Any) -> Json:
        """The state, without what gives access to the account."""
        account = self._state.get("exchange_account_details")
        if not account:
            return self._state
        shown = {name: value for name, value in account.items() if name != "auth_details"}
        return {**self._state, "exchange_account_details": shown}

    @workflow.query
    def history(self, *_sent: Any) -> list[Json]:
        """What the newest invocations did, oldest first."""
        return [outcome for _, outcome in self._progress.kept.history]

    def _require_able(self) -> None:
        report = self._progress.report
        if self._progress.needs_attention:
            raise refusal(f"edit, retry or stop the automation first, it needs attention: {report.reason}")
        self._require_not_ended()
        self._require_room()

    def _require_not_ended(self) -> None:
        if self._progress.ended:
            raise refusal(f"the automation has ended: {self._progress.report.status}")

    def _require_room(self) -> None:
        """Keep room for what controls the automation, which is never refused for others that wait."""
        if self._progress.waiting_messages >= MAX_WAITING:
            raise ApplicationError(
                f"{MAX_WAITING} messages wait for their answers: send this one again in a moment", type=BUSY
            )

    def _on_reset(self, _seed: int) -> None:
        """History was reset: only then does a running workflow get a new random seed."""
        self._was_reset = self._progress.woken = True


def _was_reset_to_start() -> bool:
    """Whether an operator reset the history to its very first task.

    There the new seed comes too early for the callback. The patch marker makes the decision part of the
    history: a run that was reset to a later point replays this line without a marker, hence as False.
    """
    info = workflow.info()
    return info.run_id != info.original_execution_run_id and workflow.patched("reset-to-start")


def _update_id() -> str:
    update = workflow.current_update_info()
    return update.id if update else ""
