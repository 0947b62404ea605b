"""The command that shows how one automation is now: show."""

from __future__ import annotations

import asyncio
from typing import Final

import connection
from cli.arguments import AutomationId, JsonFlag
from cli.errors import talking_to
from cli.output import console, print_json
from cli.reports import Snapshot, render
from cli.servers import backend
from engine.state import dump_state
from workflows.automation import Automation
from workflows.client import AutomationHandle, automation_handle

LOOKS: Final = 3


def show(automation_id: AutomationId, as_json: JsonFlag = False) -> None:
    """Show one automation: actions and results, orders, portfolio, next run."""
    snapshot, where = asyncio.run(_show(automation_id))
    if as_json:
        report = snapshot.report.model_dump(mode="json", exclude={"details"})
        print_json({"automation_id": automation_id, **report, "state": dump_state(snapshot.state)})
        return
    console().print(render(snapshot))
    console().print(f"\n{where}", style="cyan", soft_wrap=True)


async def _show(automation_id: str) -> tuple[Snapshot, str]:
    reached = await backend.reach_served(connection.load_settings())
    with talking_to(automation_id):
        snapshot = await look(automation_handle(reached.client, automation_id))
    return snapshot, reached.line_about(automation_id)


async def look(handle: AutomationHandle) -> Snapshot:
    """Return how an automation is now: status and state of the same iteration, unless it runs too fast."""
    for _attempt in range(LOOKS):
        state = await handle.query(Automation.state)
        report = await handle.query(Automation.status)
        snapshot = Snapshot.of(handle.id, report, state)
        if snapshot.is_consistent:
            break
    return snapshot
