"""The command that follows a running automation until it ends or is left to itself: watch."""

from __future__ import annotations

import asyncio
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

import connection
from cli.arguments import AutomationId, JsonFlag
from cli.errors import talking_to
from cli.looking import look
from cli.output import console
from cli.reports import Snapshot
from cli.running.views import View, view_for
from cli.servers import backend
from workflows.client import AutomationHandle, automation_handle
from workflows.messages import AutomationResult

REFRESH_SECONDS: Final = 0.3


def watch(automation_id: AutomationId, as_json: JsonFlag = False) -> None:
    """Follow an automation live until it ends or Ctrl-C is pressed, which leaves it running."""
    asyncio.run(_watch(automation_id, as_json=as_json))


async def _watch(automation_id: str, *, as_json: bool) -> None:
    reached = await backend.reach_served(connection.load_settings())
    footer = reached.line_about(automation_id)
    with view_for(console(), footer=footer, as_json=as_json) as view:
        await follow_until_left(reached.client, automation_id, view)


async def follow_until_left(
    client: Client, automation_id: str, view: View, *, until_attention: bool = False
) -> Snapshot | None:
    """Follow an automation like `follow`; return None when the user leaves it to itself with Ctrl-C."""
    try:
        return await follow(client, automation_id, view, until_attention=until_attention)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        return None


async def follow(
    client: Client, automation_id: str, view: View, *, until_attention: bool = False
) -> Snapshot:
    """Show an automation until it ends, and return how it was then.

    Args:
        client: connected to the server.
        automation_id: the automation, running or ended.
        view: what shows it.
        until_attention: also return when it needs a person, for callers that no person watches.

    Raises:
        CommandError: there is no such automation, or it does not answer.
    """
    handle = automation_handle(client, automation_id)
    with talking_to(automation_id):
        end = asyncio.ensure_future(handle.result())
        try:
            return await _follow(handle, end, view, until_attention)
        finally:
            end.cancel()


async def _follow(
    handle: AutomationHandle, end: asyncio.Future[AutomationResult], view: View, until_attention: bool
) -> Snapshot:
    while not end.done():
        try:
            snapshot = await look(handle)
        except RPCError:
            if not end.done():
                raise
            break
        view.show(snapshot)
        if until_attention and snapshot.report.status == "needs_attention":
            return snapshot
        await asyncio.wait([end], timeout=REFRESH_SECONDS)
    result = await end
    snapshot = Snapshot.of(handle.id, result.summary, result.state)
    view.show(snapshot)
    return snapshot
