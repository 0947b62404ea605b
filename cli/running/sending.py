"""Commands that send a message to a running automation: stop, exec, trigger, retry, pause, resume."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Annotated, Any

import typer

import connection
from cli.arguments import AutomationId, JsonFlag
from cli.errors import CommandError, talking_to
from cli.output import moment, print_json, print_lines
from cli.reports import next_run, shorten
from cli.servers import backend
from workflows.automation import Automation
from workflows.client import AutomationHandle, automation_handle, send_update
from workflows.messages import ActionAnswer, ExecuteAnswer, ExecuteRequest, StatusReport, StopRequest


def stop(
    automation_id: AutomationId,
    cancel_open_orders: Annotated[
        bool, typer.Option("--cancel-open-orders", help="Cancel the automation's open orders first.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """End an automation after its current invocation."""
    request = StopRequest(cancel_open_orders=cancel_open_orders)
    report = asyncio.run(send(automation_id, Automation.stop, request))
    print_report(automation_id, report, as_json=as_json)


def trigger(automation_id: AutomationId, as_json: JsonFlag = False) -> None:
    """Run an invocation now, without waiting until one is due; if it is paused, when it is resumed."""
    print_report(automation_id, asyncio.run(send(automation_id, Automation.trigger)), as_json=as_json)


def retry(automation_id: AutomationId, as_json: JsonFlag = False) -> None:
    """Let an automation that needs attention go on."""
    print_report(automation_id, asyncio.run(send(automation_id, Automation.retry)), as_json=as_json)


def pause(automation_id: AutomationId, as_json: JsonFlag = False) -> None:
    """Run nothing of an automation until `resume`, except for scripts sent with `exec`.

    An invocation under way is completed. Open paper orders stay, and are settled when it goes on.
    """
    print_report(automation_id, asyncio.run(send(automation_id, Automation.pause)), as_json=as_json)


def resume(automation_id: AutomationId, as_json: JsonFlag = False) -> None:
    """Let a paused automation go on: what became due meanwhile runs now."""
    print_report(automation_id, asyncio.run(send(automation_id, Automation.resume)), as_json=as_json)


async def send(automation_id: str, update: Any, *arguments: Any) -> StatusReport:
    """Send an update of the workflow that answers with how the automation stands."""
    handle = await reach_automation(automation_id)
    with talking_to(automation_id):
        report: StatusReport = await send_update(handle, update, *arguments)
        return report


def execute(
    automation_id: AutomationId,
    script: Annotated[str, typer.Argument(help="A script such as \"total('BTC')\".")],
    action_id: Annotated[
        str | None, typer.Option("--id", help="Id of the action; sending the same id twice executes it once.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Execute a script in a running automation, before its next run, and print the result."""
    name = action_id or f"exec_{uuid.uuid4().hex[:8]}"
    answer = asyncio.run(_execute(automation_id, name, script))
    if as_json:
        print_json({"id": name, **answer.model_dump(mode="json", exclude_none=True)})
    elif answer.due_at is not None:
        print_lines([f"{name} waits until {moment(answer.due_at)} UTC"])
    elif answer.error is None:
        print_lines([_in_words(answer.value)])
    if answer.error is not None:
        raise CommandError(f"{answer.error_status}: {answer.error}")


async def _execute(automation_id: str, action_id: str, script: str) -> ActionAnswer:
    request = ExecuteRequest(actions=[{"id": action_id, "dsl_script": script}])
    handle = await reach_automation(automation_id)
    with talking_to(automation_id):
        answer: ExecuteAnswer = await send_update(handle, Automation.execute, request, update_id=action_id)
    if answer.omitted:
        raise CommandError(f"{action_id} was executed before; its result was too large to keep.")
    return answer.actions[action_id]


def _in_words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


async def reach_automation(automation_id: str) -> AutomationHandle:
    """Return the handle of an automation that can answer."""
    reached = await backend.reach_served(connection.load_settings())
    return automation_handle(reached.client, automation_id)


def print_report(automation_id: str, report: StatusReport, *, as_json: bool) -> None:
    """Print how an automation stands after a message."""
    if as_json:
        print_json({"automation_id": automation_id, **report.model_dump(mode="json", exclude={"details"})})
        return
    line = f"{automation_id}: {report.status.replace('_', ' ')} after {report.iteration} iterations"
    if report.reason:
        line += f" ({shorten(report.reason, 200)})"
    if report.status == "paused":
        line += f"; `octoflow resume {automation_id}` lets it go on"
    elif report.due_at is not None:
        line += f", next run {next_run(report)}"
    print_lines([line])
