"""Commands that are processes: server, worker."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

import connection
from cli.arguments import JsonFlag
from cli.output import print_json, print_lines
from cli.servers import processes
from connection import Settings
from worker import configure_logging, run_worker, stop_on_signals


def server(
    port: Annotated[int | None, typer.Option(help="Port of the server; its UI listens 1000 above.")] = None,
    temporal_path: Annotated[Path | None, typer.Option(help="The `temporal` program to use.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End your server and workers.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Run a Temporal development server with its UI; automations are kept in a file and survive restarts."""
    given: dict[str, Any] = {"port": port, "temporal_path": temporal_path}
    changed = {name: value for name, value in given.items() if value is not None}
    settings = connection.load_settings().model_copy(update=changed)
    if stop:
        _stop(settings, as_json=as_json)
    else:
        asyncio.run(_serve(settings, as_json=as_json))


def _stop(settings: Settings, *, as_json: bool) -> None:
    stopped = processes.stop(processes.running(settings.home))
    if as_json:
        print_json({"stopped": [{"kind": record.kind, "pid": record.pid} for record in stopped]})
    elif stopped:
        print_lines(f"stopped the {record.kind} (process {record.pid})" for record in stopped)
    else:
        print_lines(["no server or worker of yours is running"])


async def _serve(settings: Settings, *, as_json: bool) -> None:
    stop = stop_on_signals()
    async with connection.embedded_server(settings) as running:
        if as_json:
            print_json({"address": running.address, "ui": running.ui, "database": running.database})
        else:
            print_lines(_served_lines(running))
        if not running.started:
            return
        with processes.noted(settings.home, "server"):
            await stop.wait()


def _served_lines(running: connection.Server) -> list[str]:
    if not running.started:
        return [f"The configured Temporal server at {running.address} answers, and is set up for Octoflow."]
    return [
        f"Temporal server at {running.address}, UI at {running.ui}",
        f"Automations are kept in {running.database}. Ctrl-C ends the server; they go on when it is back.",
    ]


def worker(
    task_queue: Annotated[
        str | None, typer.Option(help="Queue to serve; default: OCTOFLOW_TASK_QUEUE.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Run a worker: the process that executes automations. Ctrl-C or SIGTERM lets it finish what it does."""
    settings = connection.load_settings()
    configure_logging()
    asyncio.run(_work(settings, task_queue or settings.task_queue, as_json=as_json))


async def _work(settings: Settings, task_queue: str, *, as_json: bool) -> None:
    client = await connection.connect(settings)
    address = client.service_client.config.target_host

    def announce() -> None:
        if as_json:
            print_json({"task_queue": task_queue, "namespace": client.namespace, "address": address})
        else:
            print_lines([f"Serving the queue {task_queue!r} of namespace {client.namespace!r} at {address}"])

    with processes.noted(settings.home, "worker"):
        await run_worker(client, task_queue=task_queue, on_ready=announce)
