"""Assembles the `octoflow` command out of its verbs, and gives every failure one message and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli import looking, running, servers, writing
from cli.arguments import wants_json
from cli.errors import ExitCode, exit_code_of, report


class _Commands(TyperGroup):
    """The verbs, with errors reported as messages instead of tracebacks."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if type(error).__module__.partition(".")[0] in ("click", "typer"):
                raise  # how the parser ends a command, or complains about its usage
            report(error, as_json=wants_json(ctx))
            raise typer.Exit(exit_code_of(error)) from None


app = typer.Typer(
    name="octoflow",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Trading automations that survive everything. "
    "Start with `octoflow run examples/dip_buyer.yaml --market auto`.",
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"octoflow {version('octoflow')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the command itself."""


app.command()(running.run)
app.command()(running.start)
app.command()(running.stop)
app.command("exec")(running.execute)
app.command()(running.trigger)
app.command()(running.retry)
app.command()(running.pause)
app.command()(running.resume)
app.command()(running.approve)
app.command()(running.reject)
app.command()(running.resolve)
app.command()(running.edit)
app.command("list")(looking.list_automations)
app.command()(looking.show)
app.command()(running.watch)
app.command()(looking.history)
app.command()(writing.validate)
app.command()(writing.plan)
app.command()(writing.invoke)
app.add_typer(writing.imports, name="import")
app.command()(servers.server)
app.command()(servers.worker)
app.command("codec-server")(servers.codec_server)
app.command()(servers.setup)
app.command()(servers.doctor)
app.command()(writing.operators)
app.command()(writing.schema)


def main() -> None:
    """Run the command line and end the process.

    It ends without the interpreter's own shutdown: threads of the SDK may still carry requests that were
    given up, and would abort a process whose interpreter is going away.
    """
    code: object = 0
    try:
        app()
    except SystemExit as ending:
        code = ending.code
    with contextlib.suppress(BrokenPipeError):  # as when the output goes to `head`
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else ExitCode.FAILED if code else ExitCode.OK)
