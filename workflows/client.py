"""How other processes start an automation and talk to one that runs."""

from __future__ import annotations

from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from workflows.automation import Automation
from workflows.carried import AutomationInput
from workflows.inline_keys import WHAT_TO_DO, holds_keys
from workflows.messages import AutomationResult, Json, WorkflowSettings

AutomationHandle = WorkflowHandle[Automation, AutomationResult]


class KeysWouldBeReadableError(ValueError):
    """A state holds API keys themselves, which Temporal would store in plain; nothing was sent."""


async def start_automation(
    client: Client,
    state: Json,
    *,
    task_queue: str,
    settings: WorkflowSettings | None = None,
    automation_id: str | None = None,
) -> AutomationHandle:
    """Start an automation; its workflow id is its automation id.

    Args:
        client: connected with `connection.connect`.
        state: as the engine dumps it.
        task_queue: queue whose workers run it.
        settings: how it is run.
        automation_id: defaults to the one in the state.

    Raises:
        WorkflowAlreadyStartedError: an automation of this id runs already.
        KeysWouldBeReadableError: the state holds API keys, and payloads are not encrypted.
    """
    if holds_keys(state) and not getattr(client.data_converter.payload_codec, "encrypts", False):
        raise KeysWouldBeReadableError(
            f"the automation holds API keys themselves, which Temporal would store readably: {WHAT_TO_DO}"
        )
    metadata: dict[str, Any] = state["automation"]["metadata"]
    return await client.start_workflow(
        Automation.run,
        AutomationInput(state=state, settings=settings or WorkflowSettings()),
        id=automation_id or metadata["automation_id"],
        task_queue=task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        static_summary=metadata.get("name") or metadata["automation_id"],
    )


def automation_handle(client: Client, automation_id: str) -> AutomationHandle:
    """Return the handle of an automation, for updates and queries."""
    return client.get_workflow_handle_for(Automation.run, automation_id)
