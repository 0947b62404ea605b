"""The same tables on a real server: its automations run side by side, all of them in an invocation."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowUpdateStage
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import counted, serving, start
from tests.workflows.message_tables import CARRIES, ENDINGS, MESSAGES, ONCE, expected_during
from workflows.automation import Automation
from workflows.client import AutomationHandle
from workflows.messages import ActionAnswer, InvocationResult, RunInvocation, StopRequest

ACCEPTED = WorkflowUpdateStage.ACCEPTED
FAR = 9e9
SERVED = [name for name in MESSAGES if expected_during(name, "awaiting", "trigger", "running") is ONCE]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("ending", ["running", "awaiting", "retryable"])
async def test_a_message_during_an_invocation_is_served_after_it(
    server: WorkflowEnvironment, ending: str
) -> None:
    begun: Counter[str] = Counter()

    def respond(request: RunInvocation) -> InvocationResult:
        begun[request.run_key] += 1
        how = ENDINGS["awaiting" if begun[request.run_key] == 1 else ending]
        if begun[request.run_key] > 2:
            how = ENDINGS["running"]
        if isinstance(how, ApplicationError):
            raise how
        answers = {action["id"]: ActionAnswer(value=1) for action in request.priority_actions}
        result = {name: value for name, value in how.items() if name != "due"}
        at = FAR if "due" in how else None
        return counted(request, **result, due_at=at, wake_at=at, answers=answers)

    async with serving(server.client, respond) as engine:
        handles = {name: await start(server.client) for name in SERVED}
        await engine.called(len(SERVED))
        for handle in handles.values():
            await standing(handle, "awaiting_approval")
        engine.open.clear()
        for handle in handles.values():
            await handle.start_update(Automation.trigger, wait_for_stage=ACCEPTED)
        await engine.called(2 * len(SERVED))
        sent = [await send(handle, name) for name, handle in handles.items()]
        assert len(engine.requests) == 2 * len(SERVED)
        engine.open.set()
        for update in sent:
            if update is not None:
                await update.result()
        await engine.called(3 * len(SERVED))
        await asyncio.gather(*map(stop, handles.values()))

    for name, handle in handles.items():
        heard = [one for one in engine.requests if one.run_key.startswith(handle.id) and not one.stopping]
        assert len(heard) == 3, name
        assert CARRIES.get(name, bool)(heard[-1]), name


async def send(handle: AutomationHandle, name: str) -> Any:
    """Send a message without waiting for its answer."""
    arguments = [] if MESSAGES[name] is None else [MESSAGES[name]]
    if name in workflow._Definition.must_from_class(Automation).signals:
        await handle.signal(name, *arguments)
        return None
    return await handle.start_update(name, *arguments, wait_for_stage=ACCEPTED)


async def standing(handle: AutomationHandle, wanted: str) -> None:
    """Wait until the automation has a status."""
    while True:
        if (await handle.query(Automation.status)).status == wanted:
            return


async def stop(handle: AutomationHandle) -> None:
    """Every query is answered, and a stop ends it."""
    for query in (Automation.status, Automation.state, Automation.history):
        await handle.query(query)
    assert (await handle.execute_update(Automation.stop, StopRequest())).status == "stopped"
    await handle.result()


def test_most_messages_are_among_them() -> None:
    assert set(MESSAGES) - set(SERVED) == {"pause", "resume", "stop"}
