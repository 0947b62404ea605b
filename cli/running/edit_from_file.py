"""The command that changes a running automation: edit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final

import typer

import connection
from cli.arguments import AutomationId, FileArgument, JsonFlag
from cli.errors import talking_to
from cli.output import console, print_json, print_lines, table
from cli.reports import MAX_SCRIPT, shorten
from cli.servers import backend
from cli.writing import read_automation
from engine.job import ActionChanges, apply_edit
from engine.state import Action, AutomationState, load_state
from workflows.automation import Automation
from workflows.client import AutomationHandle, automation_handle, send_update
from workflows.messages import EditAnswer, EditRequest


def _repetition(state: AutomationState) -> dict[str, Any] | None:
    written = {"every", "cron", "timezone", "max", "until"}
    return state.automation.schedule.model_dump(include=written) if state.automation.schedule else None


def _exchange_id(state: AutomationState) -> str | None:
    account = state.exchange_account_details
    return account.exchange_details.internal_name if account else None


_SETTINGS: Final[Mapping[str, Callable[[AutomationState], Any]]] = MappingProxyType(
    {
        "symbol": lambda state: state.automation.defaults.symbol,
        "time_frame": lambda state: state.automation.defaults.time_frame,
        "repeat": _repetition,
        "approval": lambda state: state.automation.approval,
        "exchange": _exchange_id,
    }
)
"""What else a file says about an automation, and how to read it; an edit leaves it as it is."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What makes a running automation have the actions of a file.

    Attributes:
        before: the automation as it runs.
        after: what the edit makes of it.
        changes: what is different.
        not_applied: keys of the file that say something else than the automation, and are left alone.
    """

    before: AutomationState
    after: AutomationState
    changes: ActionChanges
    not_applied: list[str]

    @classmethod
    def towards(cls, file: AutomationState, running: AutomationState, restart: Sequence[str]) -> Edit:
        """Compare a file with the automation that runs.

        Raises:
            EditError: the automation cannot get these actions.
        """
        wanted = {action.id for action in file.actions}
        gone = [action.id for action in running.actions if action.id not in wanted]
        definitions = [action.definition() for action in file.actions]
        after = apply_edit(running, definitions, gone, restart=restart)
        not_applied = [name for name, read in _SETTINGS.items() if read(file) != read(running)]
        return cls(running, after, ActionChanges.between(running, after), not_applied)

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to send."""
        return any(asdict(self.changes).values())

    def request(self, restart: Sequence[str]) -> EditRequest:
        """Return the message that makes the automation so."""
        named = {*self.changes.added, *self.changes.changed}
        return EditRequest(
            upsert=[action.definition() for action in self.after.actions if action.id in named],
            remove=list(self.changes.removed),
            restart=list(restart),
        )


def edit(
    automation_id: AutomationId,
    file: FileArgument,
    restart: Annotated[
        list[str] | None,
        typer.Option(metavar="ACTION", help="Run this action again, and all that depend on it. Repeatable."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Give a running automation the actions of a file: new, changed and removed ones.

    A finished action whose script changed stays finished and keeps its result, unless --restart names it or
    one that it depends on. One that waits in the middle of a script that changed begins the new script.

    Only actions are changed. An automation that needs attention goes on after an edit.
    """
    asyncio.run(_edit(automation_id, read_automation(file), restart or [], dry_run=dry_run, as_json=as_json))


async def _edit(
    automation_id: str, file: AutomationState, restart: Sequence[str], *, dry_run: bool, as_json: bool
) -> None:
    reached = await backend.reach_served(connection.load_settings())
    handle = automation_handle(reached.client, automation_id)
    with talking_to(automation_id):
        running = load_state(await handle.query(Automation.state))
    planned = Edit.towards(file, running, restart)
    status = None
    if planned.changes_something and not dry_run:
        status = await _send(handle, planned.request(restart))
    if as_json:
        shown = {"automation_id": automation_id, "dry_run": dry_run, "status": status}
        print_json({**shown, **asdict(planned.changes), "not_applied": planned.not_applied})
        return
    print_edit(automation_id, planned, status)


async def _send(handle: AutomationHandle, request: EditRequest) -> str:
    with talking_to(handle.id):
        answer: EditAnswer = await send_update(handle, Automation.edit, request)
    return answer.report.status


def print_edit(automation_id: str, edit: Edit, status: str | None) -> None:
    """Print what an edit does.

    Args:
        automation_id: whom it changes.
        edit: what it does.
        status: of the automation after it; None when it was not sent.
    """
    if edit.changes_something:
        console().print(table("Actions", ["", "id", "script", ""], list(_rows(edit)), cut=["script"]))
    print_lines(_closing_lines(automation_id, edit, status))


def _rows(edit: Edit) -> Iterator[tuple[str, str, str, str]]:
    changes = edit.changes
    for action in edit.after.actions:
        if action.id in changes.added:
            yield "+", action.id, _script(action), "new"
        elif action.id in changes.changed:
            yield "~", action.id, _script(action), _what_becomes(action, changes)
        elif action.id in changes.restarted:
            yield "↻", action.id, _script(action), "runs again"
    for action in edit.before.actions:
        if action.id in changes.removed:
            yield "-", action.id, _script(action), "removed"


def _what_becomes(action: Action, changes: ActionChanges) -> str:
    if action.id in changes.restarted:
        return "changed, runs again"
    return "changed, finished: keeps its result" if action.id in changes.kept else "changed"


def _script(action: Action) -> str:
    return shorten(action.dsl_script if action.dsl_script is not None else f"({action.action})", MAX_SCRIPT)


def _closing_lines(automation_id: str, edit: Edit, status: str | None) -> Iterator[str]:
    if not edit.changes_something:
        yield f"{automation_id} has these actions already."
    elif status is None:
        yield "Nothing was changed: this is a dry run."
    else:
        yield f"{automation_id} was changed; it is {status.replace('_', ' ')}."
    if edit.not_applied:
        names = ", ".join(edit.not_applied)
        yield f"Not applied, since an edit changes actions only: {names}. A new start applies everything."
