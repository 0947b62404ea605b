"""Follows a running automation: a live picture on a terminal, one line for each event elsewhere."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text
from temporalio.client import Client
from temporalio.service import RPCError

import connection
from cli.arguments import AutomationId, JsonFlag
from cli.errors import talking_to
from cli.looking import look
from cli.output import console
from cli.reports import Snapshot, changes, next_run, render
from cli.servers import backend
from workflows.client import AutomationHandle, automation_handle
from workflows.messages import AutomationResult

REFRESH_SECONDS: Final = 0.3
LOG_LINES: Final = 8


class View(Protocol):
    """What shows an automation while it runs."""

    def show(self, snapshot: Snapshot) -> None:
        """Show the automation as it is now."""


class LiveView:
    """A picture of the automation that is redrawn in place, with the newest events below it."""

    def __init__(self, live: Live, footer: str) -> None:
        self._live = live
        self._footer = footer
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._before: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        """See base class."""
        self._log.extend(changes(self._before, snapshot))
        self._before = snapshot
        self._live.update(self._picture(snapshot), refresh=True)

    def _picture(self, snapshot: Snapshot) -> RenderableType:
        log = Text("\n".join(self._log), style="dim")
        footer = Text(self._footer, style="cyan")
        return Group(render(snapshot), Text("\nLog", style="bold"), log, Text(), footer)


class PlainView:
    """One line for each event, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._before: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        """See base class."""
        news = changes(self._before, snapshot)
        self._before = snapshot
        if news and snapshot.is_scheduled:
            news.append(f"{' ' * 19}  next run {next_run(snapshot.report)}")
        for line in news:
            self._console.print(line, markup=False, soft_wrap=True)


class JsonView:
    """One line of JSON for each change of the automation's status report."""

    def __init__(self) -> None:
        self._before: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        """See base class."""
        if self._before is None or self._before.report != snapshot.report:
            report = snapshot.report.model_dump(mode="json", exclude={"details"})
            typer.echo(json.dumps({"automation_id": snapshot.automation_id, **report}))
        self._before = snapshot


@contextmanager
def view_for(console: Console, *, footer: str, as_json: bool) -> Iterator[View]:
    """Open the view that fits where the output goes."""
    if as_json:
        yield JsonView()
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=False) as live:
            yield LiveView(live, footer)
    else:
        yield PlainView(console)


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
