"""How a program starts automations on a Temporal server, and talks to those that run.

```python
client = await octoflow.connect()
handle = await octoflow.start_automation(client, octoflow.load_automation(text))
report = await handle.query(Automation.status)
await handle.execute_update(Automation.stop, StopRequest())
```

A handle is Temporal's own; what it is sent are the updates and queries of `Automation`, with the messages
that stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from temporalio.client import Client

import connection
from activities.starting import start_of
from connection import ConnectionProblem, NotReachableError, SettingProblem
from engine.state import AutomationState, load_state
from workflows import client as workflow_client
from workflows.automation import Automation
from workflows.client import AutomationHandle, KeysWouldBeReadableError, automation_handle
from workflows.messages import (
    ActionAnswer,
    ApproveRequest,
    AutomationResult,
    EditAnswer,
    EditRequest,
    ExecuteAnswer,
    ExecuteRequest,
    RejectRequest,
    ResolveRequest,
    StatusReport,
    StopRequest,
    WorkflowSettings,
)

__all__ = [
    "connect",
    "start_automation",
    "automation_handle",
    "AutomationHandle",
    "Automation",
    "WorkflowSettings",
    # What updates are sent
    "ExecuteRequest",
    "StopRequest",
    "ApproveRequest",
    "RejectRequest",
    "ResolveRequest",
    "EditRequest",
    # What they answer
    "StatusReport",
    "ExecuteAnswer",
    "ActionAnswer",
    "EditAnswer",
    "AutomationResult",
    # What can be wrong
    "ConnectionProblem",
    "NotReachableError",
    "SettingProblem",
    "KeysWouldBeReadableError",
]


async def connect(address: str | None = None) -> Client:
    """Connect to the Temporal server in use, with Octoflow's data converter and encryption.

    Args:
        address: host and port; default: `TEMPORAL_ADDRESS` or the active profile of `temporal.toml`, else
            the development server of this machine.

    Raises:
        NotReachableError: nothing answers there.
        SettingProblem: a variable of the environment cannot be used.
    """
    return await connection.connect(connection.load_settings(), address=address)


async def start_automation(
    client: Client,
    state: AutomationState | Mapping[str, Any],
    *,
    automation_id: str | None = None,
    task_queue: str | None = None,
    settings: WorkflowSettings | None = None,
) -> AutomationHandle:
    """Start an automation, on paper or with real funds, as its state says; nobody is asked.

    Args:
        client: from `connect`.
        state: of `load_automation`, or its JSON form.
        automation_id: what it is called on the server; default: the id in the state.
        task_queue: queue whose workers run it; default: `OCTOFLOW_TASK_QUEUE`, else `octoflow`.
        settings: how it is run.

    Raises:
        StateError: the state does not have the right form.
        NoAutomationError: it has no `automation_id`, and none is given.
        WorkflowAlreadyStartedError: (of temporalio) an automation of this id runs already.
        KeysWouldBeReadableError: the state holds API keys, and payloads are not encrypted.
        SettingProblem: a variable of the environment cannot be used.
    """
    if settings is None:
        registered = await connection.search_attributes_registered(client)
        settings = WorkflowSettings(search_attributes=registered)
    known = state.model_copy(deep=True) if isinstance(state, AutomationState) else load_state(state)
    if automation_id is not None:
        known.automation.metadata.automation_id = automation_id
    return await workflow_client.start_automation(
        client,
        start_of(known),
        task_queue=task_queue or connection.load_settings().task_queue,
        settings=settings,
    )
