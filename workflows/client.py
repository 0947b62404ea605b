"""How other processes start an automation and talk to one that runs."""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError

from workflows.automation import Automation
from workflows.carried import AutomationInput
from workflows.forms import BUSY
from workflows.messages import AutomationResult, WorkflowSettings
from workflows.start import WHAT_TO_DO, Start

AutomationHandle = WorkflowHandle[Automation, AutomationResult]


ASK_AGAIN: Final = 0.5
"""Seconds between two attempts to reach an automation that is busy."""


class KeysWouldBeReadableError(ValueError):
    """A state holds API keys themselves, which Temporal would store in plain; nothing was sent."""


async def start_automation(
    client: Client,
    start: Start,
    *,
    task_queue: str,
    settings: WorkflowSettings | None = None,
    automation_id: str | None = None,
) -> AutomationHandle:
    """Start an automation; its workflow id is its automation id.

    `activities.starting.start_of` reads in a state what this needs.

    Args:
        client: connected with `connection.connect`.
        start: the automation.
        task_queue: queue whose workers run it.
        settings: how it is run.
        automation_id: defaults to its own.

    Raises:
        WorkflowAlreadyStartedError: an automation of this id runs already.
        KeysWouldBeReadableError: the state holds API keys, and payloads are not encrypted.
    """
    if start.holds_keys and not getattr(client.data_converter.payload_codec, "encrypts", False):
        raise KeysWouldBeReadableError(
            f"the automation holds API keys themselves, which Temporal would store readably: {WHAT_TO_DO}"
        )
    return await client.start_workflow(
        Automation.run,
        AutomationInput(
            state=start.state,
            settings=settings or WorkflowSettings(),
            pending_effects=start.pending_effects,
        ),
        id=automation_id or start.automation_id,
        task_queue=task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        static_summary=start.name or start.automation_id,
    )


async def send_update(
    handle: AutomationHandle,
    update: Any,
    *sent: Any,
    update_id: str | None = None,
    patience: timedelta = timedelta(minutes=1),
) -> Any:
    """Send an update, again for a while when the automation asks for that; return its answer.

    Args:
        handle: of the automation.
        update: handler of the message, such as `Automation.stop`.
        sent: its content, if it has any.
        update_id: sending the same id again has no second effect.
        patience: how long a busy automation is asked again.

    Raises:
        WorkflowUpdateFailedError: it refuses the message, or could not do what it asks for.
    """
    identity = update_id or uuid.uuid4().hex
    until = time.monotonic() + patience.total_seconds()
    while True:
        try:
            return await handle.execute_update(update, args=sent, id=identity)
        except WorkflowUpdateFailedError as error:
            busy = isinstance(error.cause, ApplicationError) and error.cause.type == BUSY
            if not busy or time.monotonic() >= until:
                raise
        await asyncio.sleep(ASK_AGAIN)


def automation_handle(client: Client, automation_id: str) -> AutomationHandle:
    """Return the handle of an automation, for updates and queries."""
    return client.get_workflow_handle_for(Automation.run, automation_id)
