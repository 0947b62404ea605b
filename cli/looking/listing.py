"""The command that shows which automations there are: list."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from temporalio.client import WorkflowExecution

import connection
from cli.arguments import JsonFlag
from cli.output import console, moment, print_json, table
from cli.servers import backend
from workflows.search_attributes import EXCHANGE, NEXT_RUN, STATUS, SYMBOLS


def list_automations(
    status: Annotated[
        str | None, typer.Option(help="Only of this status: running, needs_attention, …")
    ] = None,
    exchange: Annotated[str | None, typer.Option(help="Only those on this exchange.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Only those that trade this symbol.")] = None,
    ended: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the automations on the server."""
    found = asyncio.run(_list(_query(status, exchange, symbol, ended=ended)))
    if as_json:
        print_json(found)
    elif not found:
        console().print("No automation runs." if not ended else "There are no automations.")
    else:
        columns = ["id", "status", "exchange", "symbols", "next run (UTC)", "started (UTC)"]
        rows = [
            (
                entry["automation_id"],
                entry["status"].replace("_", " "),
                entry["exchange"] or "-",
                ", ".join(entry["symbols"]) or "-",
                moment(entry["next_run"]),
                moment(entry["started_at"]),
            )
            for entry in found
        ]
        console().print(table(None, columns, rows, cut=["symbols"]))


def _query(status: str | None, exchange: str | None, symbol: str | None, *, ended: bool) -> str:
    conditions = ["WorkflowType = 'Automation'"]
    if not ended:
        conditions.append("ExecutionStatus = 'Running'")
    for key, wanted in ((STATUS, status), (EXCHANGE, exchange), (SYMBOLS, symbol)):
        if wanted is not None:
            escaped = wanted.replace("'", "''")
            conditions.append(f"{key.name} = '{escaped}'")
    return " AND ".join(conditions)


async def _list(query: str) -> list[dict[str, Any]]:
    reached = await backend.reach(connection.load_settings())
    return [_entry(execution) async for execution in reached.client.list_workflows(query)]


def _entry(execution: WorkflowExecution) -> dict[str, Any]:
    attributes = execution.typed_search_attributes
    next_run = attributes.get(NEXT_RUN)
    lived = execution.status.name.lower() if execution.status else "unknown"
    return {
        "automation_id": execution.id,
        "status": attributes.get(STATUS) or lived,
        "exchange": attributes.get(EXCHANGE),
        "symbols": list(attributes.get(SYMBOLS) or ()),
        "next_run": next_run.timestamp() if next_run else None,
        "started_at": execution.start_time.timestamp(),
    }
