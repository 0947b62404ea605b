"""Shows a running automation: a live picture on a terminal, one line for each event elsewhere."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from cli.reports import Snapshot, changes, next_run, render

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
