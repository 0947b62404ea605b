"""The command that looks back: history."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Annotated, Final

import typer

import connection
from cli.arguments import AutomationId, JsonFlag
from cli.errors import talking_to
from cli.output import console, moment, print_json, print_lines, table
from cli.reports import shorten
from cli.servers import backend
from engine.job import ExecutedAction, InvocationOutcome, InvocationStatus
from workflows.automation import Automation
from workflows.client import automation_handle
from workflows.messages import Json

DEFAULT_LAST: Final = 20
MAX_NAMED: Final = 5
COLUMNS: Final = ("iteration", "time (UTC)", "what ran", "errors", "effects", "next run (UTC)")


def history(
    automation_id: AutomationId,
    last: Annotated[
        int, typer.Option("--last", "-n", min=1, metavar="N", help="How many of the newest invocations.")
    ] = DEFAULT_LAST,
    as_json: JsonFlag = False,
) -> None:
    """Show what the newest invocations did, oldest first: what ran, errors, effects, when the next was due.

    The newest 128 KB of them are kept. Times are those of the automation, so of its market if that is
    recorded.
    """
    outcomes = asyncio.run(_history(automation_id))[-last:]
    if as_json:
        print_json({"automation_id": automation_id, "history": outcomes})
    elif outcomes:
        rows = list(history_rows(map(InvocationOutcome.model_validate, outcomes)))
        console().print(table(None, COLUMNS, rows, cut=["what ran", "errors"]))
    else:
        print_lines([f"{automation_id} has not run yet."])


async def _history(automation_id: str) -> list[Json]:
    reached = await backend.reach_served(connection.load_settings())
    with talking_to(automation_id):
        return await automation_handle(reached.client, automation_id).query(Automation.history)


def history_rows(outcomes: Iterable[InvocationOutcome]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of a row for each invocation, in the order of `COLUMNS`."""
    for outcome in outcomes:
        effects = sum(entry.effects for entry in outcome.executed)
        yield (
            str(outcome.iteration),
            moment(outcome.at),
            _what_ran(outcome),
            _errors(outcome),
            str(effects or "-"),
            _next(outcome),
        )


def _what_ran(outcome: InvocationOutcome) -> str:
    if not outcome.executed_count:
        return shorten(outcome.notes[-1]) if outcome.notes else "-"
    return _listed([_named(entry) for entry in outcome.executed], outcome.executed_count)


def _named(entry: ExecutedAction) -> str:
    return f"{entry.id} …" if entry.status == "waiting" else entry.id


def _errors(outcome: InvocationOutcome) -> str:
    failed = [f"{entry.id}: {entry.status}" for entry in outcome.executed if entry.error is not None]
    return _listed(failed, outcome.error_count) or "-"


def _listed(names: list[str], count: int) -> str:
    shown = names[:MAX_NAMED]
    more = [f"{count - len(shown)} more"] if count > len(shown) else []
    return ", ".join([*shown, *more])


def _next(outcome: InvocationOutcome) -> str:
    if outcome.next_due_at is None:
        return f"none, {outcome.status.value}"
    note = ", postponed" if outcome.status is InvocationStatus.POSTPONED else ""
    return moment(outcome.next_due_at) + note
