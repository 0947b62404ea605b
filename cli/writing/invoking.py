"""The command that runs one invocation without a server: invoke."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Annotated

import typer

from cli.errors import CommandError, ExitCode
from engine.job import AutomationJob, InvocationRequest
from engine.state import TriggerReason
from engine.timing import parse_moment


def invoke(
    now: Annotated[
        str | None,
        typer.Option(help="Market time of the invocation, ISO 8601 or UNIX seconds; default: the clock's."),
    ] = None,
    forced: Annotated[
        bool, typer.Option("--forced", help="Also call waiting operators that are not due.")
    ] = False,
) -> None:
    """Run one invocation without a server: state JSON on stdin, new state on stdout, outcome on stderr."""
    try:
        raw = json.load(sys.stdin)
    except (ValueError, UnicodeDecodeError) as error:
        raise CommandError(f"stdin is not a JSON state: {error}.", ExitCode.WRONG_INPUT) from error
    trigger = TriggerReason.FORCED if forced else TriggerReason.SCHEDULED
    job = AutomationJob(InvocationRequest(state=raw, now=_moment(now), trigger=trigger))
    outcome = asyncio.run(job.run())
    typer.echo(json.dumps(job.dump(), ensure_ascii=False))
    typer.echo(
        json.dumps(outcome.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False), err=True
    )


def _moment(text: str | None) -> float:
    if text is None:
        return time.time()
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return parse_moment(text)
    except ValueError as error:
        raise CommandError(f"--now: {error}", ExitCode.WRONG_INPUT) from None
