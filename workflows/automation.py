"""The automation workflow: wait until due or woken, run one invocation, keep the new state, repeat."""

from __future__ import annotations

from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.carried import AutomationInput, Carried
from workflows.dispatch import Dispatcher
from workflows.failures import Failure
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
        self._was_reset = self._waits_by_records = False
        self._shown: Status | None = None
        workflow.register_random_seed_callback(self._on_reset)

    @workflow.run
    async def run(self, start: AutomationInput) -> AutomationResult:  # noqa: ARG002 - read by __init__
        """Run the automation until it has finished or is stopped."""
        self._was_reset |= _was_reset_to_start()
        self._waits_by_records = workflow.patched("wait-by-records")
        self._progress.serves_late = workflow.patched("serve-late-messages")
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
            try:
                await workflow.wait_condition(
                    lambda: self._progress.woken or self._should_continue_as_new(),
                    timeout=delay,
                    timeout_summary=timer_summary(self._progress.report),
                )
            except TimeoutError:
                if self._progress.next_wake() is not None:  # it may have been paused at the same moment
                    return

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
    async def execute(self, request: ExecuteRequest) -> ExecuteAnswer:
        """Run priority actions; return when each of them has ended or waits."""
        kept, update_id = self._progress.kept, _update_id()
        if update_id not in kept.answers:
            pending = PendingExecution(actions=request.actions)
            self._progress.executions.append(pending)
            self._progress.wake()
            await pending.wait()
            kept.remember_answer(update_id, pending.result)
            return pending.result
        return kept.answers[update_id]

    @execute.validator
    def _accept_execution(self, request: ExecuteRequest) -> None:  # noqa: ARG002
        if _update_id() not in self._progress.kept.answers:
            self._require_able()

    @workflow.update
    async def trigger(self) -> StatusReport:
        """Run an invocation now; return how the automation stands after it."""
        pending = Pending()
        self._progress.triggers.append(pending)
        self._progress.wake()
        await pending.wait()
        return self._progress.report

    @trigger.validator
    def _accept_trigger(self) -> None:
        self._require_able()

    @workflow.update
    async def approve(self, request: ApproveRequest) -> StatusReport:
        """Let effects that wait for a person be sent."""
        return await self._decide(Decisions(approved=request.keys))

    @approve.validator
    def _accept_approval(self, request: ApproveRequest) -> None:  # noqa: ARG002
        self._require_able()

    @workflow.update
    async def reject(self, request: RejectRequest) -> StatusReport:
        """Refuse effects that wait for a person: their scripts get an error."""
        return await self._decide(Decisions(rejected=dict.fromkeys(request.keys, request.reason)))

    @reject.validator
    def _accept_rejection(self, request: RejectRequest) -> None:  # noqa: ARG002
        self._require_able()

    @workflow.update
    async def resolve(self, request: ResolveRequest) -> StatusReport:
        """Say what became of an effect that no look-up settles."""
        return await self._decide(Decisions(resolved={request.key: request.placed}))

    @resolve.validator
    def _accept_resolution(self, request: ResolveRequest) -> None:  # noqa: ARG002
        self._require_able()

    async def _decide(self, decisions: Decisions) -> StatusReport:
        pending = PendingDecision(decisions=decisions)
        self._progress.decisions.append(pending)
        self._progress.wake()
        await pending.wait()
        return self._progress.report

    @workflow.signal
    def trading_signal(self, signal: Json) -> None:
        """What a leader did, for an automation that copies it."""
        if not self._progress.ended:
            self._progress.receive(signal)

    @workflow.update
    async def edit(self, request: EditRequest) -> EditAnswer:
        """Change the actions, between two invocations; what is ready then runs at once."""
        pending = PendingEdit(request=request)
        self._progress.edits.append(pending)
        self._progress.woken = True  # not `wake`: an edit that is refused changes no delay
        await pending.wait()
        return EditAnswer(changes=pending.changes, report=self._progress.report)

    @edit.validator
    def _accept_edit(self, request: EditRequest) -> None:  # noqa: ARG002
        self._require_not_ended()

    @workflow.update
    async def retry(self) -> StatusReport:
        """Go on after a person has looked at what needed attention, or at once after a failure."""
        self._progress.retry()
        return self._progress.report

    @retry.validator
    def _accept_retry(self) -> None:
        if self._progress.report.status not in RETRYABLE:
            raise ApplicationError(
                f"there is nothing to retry: the automation is {self._progress.report.status}"
            )

    @workflow.update
    async def pause(self) -> StatusReport:
        """Run nothing but priority actions from now on; an invocation under way is completed."""
        self._progress.pause()
        return self._progress.report

    @pause.validator
    def _accept_pause(self) -> None:
        self._require_not_ended()

    @workflow.update
    async def resume(self) -> StatusReport:
        """End a pause: what became due in it runs now."""
        self._progress.resume()
        return self._progress.report

    @resume.validator
    def _accept_resume(self) -> None:
        if not self._progress.paused:
            raise ApplicationError(
                f"there is nothing to resume: the automation is {self._progress.report.status}"
            )

    @workflow.update
    async def stop(self, request: StopRequest) -> StatusReport:
        """End the automation after the current invocation; return its final summary."""
        if not self._progress.ended:
            pending = PendingStop(cancel_open_orders=request.cancel_open_orders)
            self._progress.stopping.ask(pending)
            self._progress.wake()
            await pending.wait()
        return self._progress.report

    @workflow.query
    def status(self) -> StatusReport:
        """How the automation stands."""
        return self._progress.report

    @workflow.query
    def state(self) -> Json:
        """The state, without what gives access to the account."""
        account = self._state.get("exchange_account_details")
        if not account:
            return self._state
        shown = {name: value for name, value in account.items() if name != "auth_details"}
        return {**self._state, "exchange_account_details": shown}

    @workflow.query
    def history(self) -> list[Json]:
        """What the newest invocations did, oldest first."""
        return [outcome for _, outcome in self._progress.kept.history]

    def _require_able(self) -> None:
        report = self._progress.report
        if self._progress.needs_attention:
            raise ApplicationError(
                f"edit, retry or stop the automation first, it needs attention: {report.reason}"
            )
        self._require_not_ended()

    def _require_not_ended(self) -> None:
        if self._progress.ended:
            raise ApplicationError(f"the automation has ended: {self._progress.report.status}")

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
