"""Records what the replay test keeps of a release: `python -m tests.replay.record VERSION [SCENARIO ...]`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory, WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import (
    ONE_ATTEMPT,
    FakeEngine,
    Respond,
    counted,
    development_server,
    serving,
    start,
)
from workflows.automation import Automation
from workflows.messages import (
    ActionAnswer,
    ApproveRequest,
    EditRequest,
    ExecuteRequest,
    InvocationResult,
    RejectRequest,
    ResolveRequest,
    RunInvocation,
    StopRequest,
)

ACCEPTED = WorkflowUpdateStage.ACCEPTED
FOLDER = Path(__file__).parent
SETTINGS = ONE_ATTEMPT.model_copy(
    update={"search_attributes": True, "first_delay": 0.2, "longest_delay": 0.2}
)


def eventful(request: RunInvocation) -> InvocationResult:
    """Respond as an automation that meets everything: an outage, a wrong key, timers, priority actions."""
    count = request.state.get("count", 0)
    if count == 2 and request.state.get("tries") is None and request.trigger == "scheduled":
        raise ApplicationError("binance does not answer", type="RetryableError")
    at = request.woken_at + (0.1 if count < 6 else 3600)
    answers = {action["id"]: ActionAnswer(value=1) for action in request.priority_actions}
    state = {"tries": 1} if request.trigger == "message" else {}
    return counted(request, due_at=at, wake_at=at, answers=answers, state=state)


def broken(request: RunInvocation) -> InvocationResult:
    """Respond as an account that a person must repair."""
    raise ApplicationError("the API key is wrong", type="ConfigurationError", non_retryable=True)


async def every_message(server: WorkflowEnvironment) -> WorkflowHistory:
    """An automation that gets each kind of message and meets each kind of failure."""
    async with serving(server.client, eventful) as engine:
        handle = await start(server.client, settings=SETTINGS)
        await engine.called(4)
        actions = [{"id": "extra", "dsl_script": "1"}]
        await handle.execute_update(Automation.execute, ExecuteRequest(actions=actions))
        engine.respond = broken
        try:
            await handle.execute_update(Automation.trigger)
        except Exception:
            engine.respond = eventful
        await handle.execute_update(Automation.retry)
        await handle.execute_update(Automation.stop, StopRequest(cancel_open_orders=True))
        await handle.result()
        return await handle.fetch_history()


async def changed_on_the_way(server: WorkflowEnvironment) -> WorkflowHistory:
    """An automation that is paused, edited while it is, resumed, and refuses an edit."""

    def idle(request: RunInvocation) -> InvocationResult:
        answers = {action["id"]: ActionAnswer(value=1) for action in request.priority_actions}
        return counted(request, due_at=9e9, wake_at=9e9, answers=answers)

    async with serving(server.client, idle) as engine:
        handle = await start(server.client, settings=SETTINGS)
        await engine.called(1)
        await handle.execute_update(Automation.pause)
        actions = [{"id": "extra", "dsl_script": "1"}]
        await handle.execute_update(Automation.execute, ExecuteRequest(actions=actions))
        await handle.execute_update(Automation.edit, EditRequest(upsert=actions))
        await handle.execute_update(Automation.resume)
        await engine.called(3)
        with contextlib.suppress(WorkflowUpdateFailedError):
            await handle.execute_update(Automation.edit, EditRequest(upsert=[{"id": "no script"}]))
        await handle.execute_update(Automation.stop, StopRequest())
        await handle.result()
        return await handle.fetch_history()


async def with_effects(server: WorkflowEnvironment) -> WorkflowHistory:
    """A live automation: a leader's signal, decisions about effects, a pause during one, a long stop."""

    def live(request: RunInvocation) -> InvocationResult:
        left = request.state.get("left", 3) - len(request.decisions.approved) - request.stopping
        if "unknown" in request.decisions.resolved:
            raise ApplicationError("no such effect", type="ConfigurationError", non_retryable=True)
        status = "stopped" if left <= 0 else "running" if request.stopping else "awaiting_approval"
        at = request.woken_at + 0.1 if request.stopping else None
        counts = {"pending_effects": left, "sent_effects": int(request.paused)}
        return counted(request, status=status, state={"left": left}, due_at=at, wake_at=at, **counts)

    async with serving(server.client, live) as engine:
        handle = await start(server.client, settings=SETTINGS)
        await engine.called(1)
        await handle.signal(Automation.trading_signal, {"assets": {"BTC": "0.5"}})
        await engine.called(2)
        await handle.execute_update(Automation.pause)
        await handle.execute_update(Automation.approve, ApproveRequest(keys=["a"]))
        await handle.execute_update(Automation.resume)
        with contextlib.suppress(WorkflowUpdateFailedError):
            await handle.execute_update(Automation.resolve, ResolveRequest(key="unknown", placed=True))
        await handle.execute_update(Automation.reject, RejectRequest(keys=["b"], reason="too large"))
        await handle.execute_update(Automation.stop, StopRequest())
        await handle.result()
        return await handle.fetch_history()


async def long_life(server: WorkflowEnvironment) -> WorkflowHistory:
    """The last run of an automation that continued as new, and finished."""

    def brief(request: RunInvocation) -> InvocationResult:
        if request.state.get("count") == 11:
            return counted(request, status="finished")
        return counted(request, wake_at=request.woken_at)

    settings = SETTINGS.model_copy(update={"continue_as_new_after": 30})
    async with serving(server.client, brief):
        handle = await start(server.client, settings=settings)
        await handle.result()
        return await server.client.get_workflow_handle(handle.id).fetch_history()


async def heard_meanwhile(server: WorkflowEnvironment) -> WorkflowHistory:
    """An automation that gets messages while invocations are under way."""
    async with serving(server.client, held) as engine:
        handle = await start(server.client, settings=SETTINGS)
        await quiet(engine)

        @contextlib.asynccontextmanager
        async def under_way(update: Any, *request: Any) -> AsyncIterator[None]:
            engine.open.clear()
            before = len(engine.requests)
            sent = await handle.start_update(update, *request, wait_for_stage=ACCEPTED)
            await engine.called(before + 1)
            yield
            engine.open.set()
            with contextlib.suppress(WorkflowUpdateFailedError):
                await sent.result()
            await quiet(engine)

        async with under_way(Automation.trigger):
            await handle.execute_update(Automation.retry)
        await handle.execute_update(Automation.pause)
        async with under_way(Automation.approve, ApproveRequest(keys=["a"])):
            await handle.execute_update(Automation.resume)
        engine.respond = failing_once(engine)
        actions = [{"id": "extra", "dsl_script": "1"}]
        async with under_way(Automation.retry):
            await handle.start_update(
                Automation.execute, ExecuteRequest(actions=actions), wait_for_stage=ACCEPTED
            )
        async with under_way(Automation.stop, StopRequest()):
            await handle.start_update(
                Automation.stop, StopRequest(cancel_open_orders=True), wait_for_stage=ACCEPTED
            )
        await handle.result()
        return await handle.fetch_history()


def held(request: RunInvocation) -> InvocationResult:
    """Respond as a live automation with effects that wait for a person, and an open order."""
    answers = {action["id"]: ActionAnswer(value=1) for action in request.priority_actions}
    status = "stopped" if request.stopping else "awaiting_approval"
    orders = int(not request.cancel_open_orders)
    return counted(request, status=status, pending_effects=2, open_orders=orders, answers=answers)


def failing_once(engine: FakeEngine) -> Respond:
    """Respond as an exchange that does not answer, and as `held` from the next invocation on."""

    def respond(request: RunInvocation) -> InvocationResult:
        engine.respond = held
        raise ApplicationError("binance does not answer", type="RetryableError")

    return respond


async def quiet(engine: FakeEngine) -> None:
    """Wait until no invocation follows any more."""
    before = -1
    while before < len(engine.requests):
        before = len(engine.requests)
        await asyncio.sleep(1)


SCENARIOS = (every_message, long_life, changed_on_the_way, with_effects, heard_meanwhile)


async def record(version: str, names: Collection[str]) -> None:
    """Write the histories of a version: of the scenarios that are named, or of all."""
    folder = FOLDER / version
    folder.mkdir(exist_ok=True)
    async with development_server(Path(sys.executable).with_name("temporal")) as server:
        for scenario in SCENARIOS:
            if names and scenario.__name__ not in names:
                continue
            history = await scenario(server)
            (folder / f"{scenario.__name__}.json").write_text(history.to_json() + "\n")


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1], sys.argv[2:]))
    gc.collect()
