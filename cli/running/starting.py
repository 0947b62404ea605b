"""Commands that start automations: run, start."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

import connection
from activities.starting import start_of
from cli.arguments import FileArgument, JsonFlag
from cli.errors import CommandError
from cli.output import console, print_json, print_lines
from cli.reports import Snapshot, render
from cli.running.consent import asking_on_terminal, require_consent
from cli.running.following import follow_until_left
from cli.running.views import view_for
from cli.servers import Backend, backend
from cli.writing import DEFAULT_SPEED, MarketOption, Overlay, SpeedOption, StartOption, read_automation
from connection import Settings
from engine.state import AutomationState, dump_state
from workflows.client import start_automation
from workflows.messages import WorkflowSettings

YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="On a live account: start without showing the plan and asking.")
]
IdOption = Annotated[str | None, typer.Option("--id", help="Run under this id instead of the file's.")]


def start(
    file: FileArgument,
    market: MarketOption = None,
    start: StartOption = None,
    speed: SpeedOption = DEFAULT_SPEED,
    automation_id: IdOption = None,
    yes: YesOption = False,
    as_json: JsonFlag = False,
) -> None:
    """Start an automation on a server that runs, and leave it to itself.

    On a live account it shows the account and the plan, and asks first.
    """
    overlay = Overlay(market, start, speed, automation_id)
    asyncio.run(_start(read_automation(file), overlay, yes=yes, as_json=as_json))


async def _start(state: AutomationState, overlay: Overlay, *, yes: bool, as_json: bool) -> None:
    settings = connection.load_settings()
    state, about_market = await overlay.apply(state, settings)
    if not yes:
        await require_consent(state, asking_on_terminal(as_json=as_json))
    reached = await backend.reach(settings)
    automation_id = await _launch(reached, state, settings)
    served = await backend.is_served(reached.client, settings.task_queue)
    if as_json:
        print_json({"automation_id": automation_id, "ui": reached.page_of(automation_id), "served": served})
        return
    lines = [
        about_market,
        f"{automation_id} was started; `octoflow watch {automation_id}` follows it.",
        reached.line_about(automation_id),
    ]
    if not served:
        lines.append("No worker is running: start one with `octoflow worker`, or nothing will happen.")
    print_lines(line for line in lines if line)


def run(
    file: FileArgument,
    market: MarketOption = None,
    start: StartOption = None,
    speed: SpeedOption = DEFAULT_SPEED,
    automation_id: IdOption = None,
    yes: YesOption = False,
    as_json: JsonFlag = False,
) -> None:
    """Start an automation and follow it live; a server and a worker are started where none runs.

    On a live account it shows the account and the plan, and asks first. Ctrl-C leaves the automation running
    in the background.
    """
    overlay = Overlay(market, start, speed, automation_id)
    asyncio.run(_run(read_automation(file), overlay, yes=yes, as_json=as_json))


async def _run(state: AutomationState, overlay: Overlay, *, yes: bool, as_json: bool) -> None:
    settings = connection.load_settings()
    output = console()

    def tell(line: str) -> None:
        if not as_json:
            output.print(line, style="dim", soft_wrap=True)

    state, about_market = await overlay.apply(state, settings)
    if about_market:
        tell(about_market)
    if not yes:
        await require_consent(state, asking_on_terminal(as_json=as_json))
    reached = await backend.ensure(settings, tell)
    ended: str | None = None
    try:
        automation_id = await _launch(reached, state, settings)
        tell(reached.line_about(automation_id))
        end = await _follow_until_end(reached, automation_id, as_json=as_json)
        if end is not None and end.has_ended:
            ended = automation_id
    finally:
        if not await backend.anything_runs(reached.client, besides=ended):
            backend.release(settings)
    if end is not None:
        _conclude(end, as_json=as_json)


async def _launch(reached: Backend, state: AutomationState, settings: Settings) -> str:
    known = await connection.search_attributes_registered(reached.client)
    handle = await start_automation(
        reached.client,
        start_of(state),
        task_queue=settings.task_queue,
        settings=WorkflowSettings(search_attributes=known),
    )
    return handle.id


async def _follow_until_end(reached: Backend, automation_id: str, *, as_json: bool) -> Snapshot | None:
    """Return how the automation ended, or None when the user left it to itself."""
    output = console()
    footer = reached.line_about(automation_id)
    unattended = as_json or not output.is_terminal
    with view_for(output, footer=footer, as_json=as_json) as view:
        end = await follow_until_left(reached.client, automation_id, view, until_attention=unattended)
    if end is None and not as_json:
        print_lines(_how_to_come_back(automation_id))
    return end


def _how_to_come_back(automation_id: str) -> list[str]:
    return [
        "",
        f"{automation_id} goes on in the background.",
        f"  octoflow watch {automation_id}   comes back to it",
        f"  octoflow stop {automation_id}    ends it",
        "  octoflow server --stop   ends the background processes; it goes on when they are back",
    ]


def _conclude(end: Snapshot, *, as_json: bool) -> None:
    output = console()
    if end.has_ended and not as_json and not output.is_terminal:  # a terminal shows the picture already
        output.print("", render(end))
    if as_json:
        summary = end.report.model_dump(mode="json", exclude={"details"})
        print_json({"automation_id": end.automation_id, **summary, "state": dump_state(end.state)})
    if end.report.status == "needs_attention":
        name = end.automation_id
        hint = f"Put it right, then `octoflow retry {name}`; or end it with `octoflow stop {name}`."
        raise CommandError(f"{name} needs attention: {end.report.reason}. {hint}")
    if end.failed_actions:
        names = ", ".join(f"{action.id} ({action.error_status})" for action in end.failed_actions)
        raise CommandError(f"{end.automation_id} has {end.report.status}, with errors in: {names}.")
