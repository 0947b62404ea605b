"""Drives the automation workflow without a server: a test is the history, event by event.

The SDK's own event loop runs the workflow, as in a worker, on activations that are made here. So a test
decides at which instant of an invocation a message comes, and a case takes milliseconds.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio import workflow
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.common import Priority, TypedSearchAttributes
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.worker._workflow_instance import WorkflowInstance, WorkflowInstanceDetails

from tests.support.temporal import ONE_ATTEMPT, new_state
from workflows.automation import Automation
from workflows.carried import AutomationInput
from workflows.messages import (
    ApplyEdit,
    AutomationResult,
    EditChanges,
    EditResult,
    InvocationResult,
    RunInvocation,
    View,
    WorkflowSettings,
)

EPOCH: Final = 1_700_000_000.0
SOON: Final = 0.5
"""Seconds. A timer that lasts no longer is one for what is due at once."""

_CONVERTER = pydantic_data_converter.payload_converter
_DEFINITION = workflow._Definition.must_from_class(Automation)


@dataclass(frozen=True)
class Raw:
    """A message as bytes of JSON, one for each value that it has; or what only claims to be that."""

    values: tuple[bytes, ...]


@dataclass
class Sent:
    """A message, and what became of it.

    Attributes:
        answer: what the handler returned, as JSON.
        error: why it was refused or failed.
    """

    name: str
    accepted: bool = False
    answer: Any = None
    error: str | None = None

    @property
    def answered(self) -> bool:
        """Whether the sender waits no more."""
        return self.answer is not None or self.error is not None


@dataclass
class Activity:
    """An activity that the workflow waits for."""

    seq: int
    request: RunInvocation | ApplyEdit


@dataclass
class Driven:
    """One run of an automation.

    Attributes:
        now: the workflow's clock, UNIX seconds.
        requests: invocations that it asked for, in order.
        edits: edits that it asked for, in order.
        under_way: activities that have not ended, in order.
        timer: the running timer's number and the time at which it fires.
        result: what the workflow returned.
    """

    settings: WorkflowSettings = field(default_factory=lambda: ONE_ATTEMPT)
    now: float = EPOCH
    requests: list[RunInvocation] = field(default_factory=list)
    edits: list[ApplyEdit] = field(default_factory=list)
    under_way: deque[Activity] = field(default_factory=deque)
    timer: tuple[int, float] | None = None
    result: AutomationResult | None = None

    def __post_init__(self) -> None:
        self._sent: dict[str, Sent] = {}
        self._answers: dict[str, Any] = {}
        self._instance = asyncio.run(_new_instance())  # which wants to be made while a loop runs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        job = WorkflowActivationJob()
        job.remove_from_cache.message = "the test has ended"
        self._activate(job)

    def start(self, *messages: tuple[str, Any]) -> list[Sent]:
        """Start it; messages come along with its start."""
        job = WorkflowActivationJob()
        job.initialize_workflow.workflow_type = "Automation"
        start = AutomationInput(state=new_state(), settings=self.settings)
        job.initialize_workflow.arguments.extend(_CONVERTER.to_payloads([start]))
        prepared = [self._message(name, argument) for name, argument in messages]
        self._activate(job, *(one for one, _ in prepared))
        return [sent for _, sent in prepared]

    def send(self, name: str, argument: Any = None) -> Sent:
        """Send an update or a signal."""
        job, sent = self._message(name, argument)
        self._activate(job)
        return sent

    def query(self, name: str) -> Any:
        """Ask for what the automation knows."""
        job = WorkflowActivationJob()
        job.query_workflow.query_id = job.query_workflow.query_type = name
        self._answers.pop(name, None)
        self._activate(job)
        return self._answers[name]

    def complete(
        self, outcome: InvocationResult | EditResult | ApplicationError, *messages: tuple[str, Any]
    ) -> list[Sent]:
        """End the activity that is under way; messages come in the same instant."""
        activity = self.under_way.popleft()
        job = WorkflowActivationJob()
        job.resolve_activity.seq = activity.seq
        resolution = job.resolve_activity.result
        if isinstance(outcome, ApplicationError):
            failure = resolution.failed.failure
            failure.activity_failure_info.activity_type.name = "run_invocation"
            failure.cause.message = outcome.message
            failure.cause.application_failure_info.type = outcome.type or ""
            failure.cause.application_failure_info.non_retryable = outcome.non_retryable
        else:
            resolution.completed.result.CopyFrom(_CONVERTER.to_payloads([outcome])[0])
        prepared = [self._message(name, argument) for name, argument in messages]
        self._activate(*(one for one, _ in prepared), job)
        return [sent for _, sent in prepared]

    def fire(self) -> None:
        """Let the time pass until the running timer fires."""
        assert self.timer is not None
        number, at = self.timer
        self.timer, self.now = None, max(self.now, at)
        job = WorkflowActivationJob()
        job.fire_timer.seq = number
        self._activate(job)

    @property
    def fires_soon(self) -> bool:
        """Whether the running timer is one for what is due at once."""
        return self.timer is not None and self.timer[1] - self.now <= SOON

    def _message(self, name: str, argument: Any) -> tuple[WorkflowActivationJob, Sent]:
        job, sent = WorkflowActivationJob(), Sent(name)
        if isinstance(argument, Raw):
            payloads = [Payload(metadata={"encoding": b"json/plain"}, data=one) for one in argument.values]
        else:
            payloads = _CONVERTER.to_payloads([] if argument is None else [argument])
        if name in _DEFINITION.signals:
            job.signal_workflow.signal_name, job.signal_workflow.originating_event_id = name, 1
            job.signal_workflow.input.extend(payloads)
            sent.accepted = True
        else:
            number = f"{name}-{len(self._sent)}"
            self._sent[number] = sent
            job.do_update.id = job.do_update.protocol_instance_id = number
            job.do_update.name, job.do_update.run_validator = name, True
            job.do_update.input.extend(payloads)
        return job, sent

    def _activate(self, *jobs: WorkflowActivationJob) -> None:
        timestamp = Timestamp()
        timestamp.FromNanoseconds(int(self.now * 1_000_000_000))
        completion = self._instance.activate(
            WorkflowActivation(run_id="run", timestamp=timestamp, jobs=jobs, history_length=3)
        )
        assert not completion.HasField("failed"), completion.failed
        for command in completion.successful.commands:
            self._take(command)

    def _take(self, command: WorkflowCommand) -> None:
        kind = command.WhichOneof("variant")
        if kind == "schedule_activity":
            self._schedule(command)
        elif kind == "start_timer":
            timeout = command.start_timer.start_to_fire_timeout.ToNanoseconds() / 1_000_000_000
            self.timer = command.start_timer.seq, self.now + timeout
        elif kind == "cancel_timer":
            if self.timer is not None and self.timer[0] == command.cancel_timer.seq:
                self.timer = None
        elif kind == "update_response":
            self._hear(command)
        elif kind == "respond_to_query":
            answer = command.respond_to_query
            assert answer.HasField("succeeded"), answer
            self._answers[answer.query_id] = _CONVERTER.from_payloads([answer.succeeded.response])[0]
        elif kind == "complete_workflow_execution":
            payload = command.complete_workflow_execution.result
            self.result = _CONVERTER.from_payloads([payload], [AutomationResult])[0]
        else:
            assert kind in {"set_patch_marker", "upsert_workflow_search_attributes"}, command

    def _schedule(self, command: WorkflowCommand) -> None:
        scheduled = command.schedule_activity
        kind = RunInvocation if scheduled.activity_type == "run_invocation" else ApplyEdit
        request = _CONVERTER.from_payloads(scheduled.arguments, [kind])[0]
        if isinstance(request, RunInvocation):
            self.requests.append(request)
        else:
            self.edits.append(request)
        self.under_way.append(Activity(scheduled.seq, request))

    def _hear(self, command: WorkflowCommand) -> None:
        response = command.update_response
        sent = self._sent[response.protocol_instance_id]
        if response.HasField("accepted"):
            sent.accepted = True
            return
        assert not sent.answered, f"{sent} is answered a second time"
        if response.HasField("rejected"):
            sent.error = response.rejected.message
        else:
            sent.answer = _CONVERTER.from_payloads([response.completed])[0]


def edited(request: ApplyEdit) -> EditResult:
    """Return a state in which an edit is noted."""
    added = [one["id"] for one in request.edit.upsert]
    state = {**request.state, "edited": request.state.get("edited", []) + added}
    return EditResult(state=state, changes=EditChanges(added=added), view=View())


async def _new_instance() -> WorkflowInstance:
    return UnsandboxedWorkflowRunner().create_instance(_details())


def _details() -> WorkflowInstanceDetails:
    at = datetime.fromtimestamp(EPOCH, UTC)
    info = workflow.Info(
        attempt=1,
        continued_run_id=None,
        cron_schedule=None,
        execution_timeout=None,
        first_execution_run_id="run",
        headers={},
        namespace="default",
        original_execution_run_id="run",
        parent=None,
        root=None,
        raw_memo={},
        retry_policy=None,
        run_id="run",
        run_timeout=None,
        search_attributes={},
        start_time=at,
        workflow_start_time=at,
        task_queue="test",
        task_timeout=timedelta(seconds=10),
        typed_search_attributes=TypedSearchAttributes.empty,
        workflow_id="automation",
        workflow_type="Automation",
        priority=Priority(),
    )
    return WorkflowInstanceDetails(
        payload_converter_factory=lambda: _CONVERTER,
        failure_converter_class=pydantic_data_converter.failure_converter_class,
        interceptor_classes=[],
        defn=_DEFINITION,
        info=info,
        randomness_seed=random.getrandbits(32),
        extern_functions={},
        disable_eager_activity_execution=False,
        worker_level_failure_exception_types=[],
        patch_activation_callback=None,
        last_completion_result=Payloads(),
        last_failure=None,
    )
