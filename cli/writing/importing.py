"""Commands that take over what another program has begun: import octobot."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.arguments import JsonFlag
from cli.errors import CommandError, ExitCode
from cli.output import print_json
from cli.writing.file_input import STDIN
from engine.automation_file import Note, import_octobot
from engine.state import dump_state

imports = typer.Typer(
    no_args_is_help=True, help="Take over what another program has begun; so far: the states of OctoBot."
)


@imports.callback()
def _another_program() -> None:
    """Keep the name of the program a word of its own, also while there is only one."""


@imports.command()
def octobot(
    state: Annotated[Path, typer.Argument(metavar="STATE", help="A state of OctoBot, JSON; - reads stdin.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the state there, for its owner only."),
    ] = None,
    credentials: Annotated[
        str | None,
        typer.Option(metavar="REF", help="Where the keys of a live account are, such as env:BINANCE."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a state of a state of OctoBot, and say line by line what it could not keep.

    The state goes to stdout, the notes to stderr. Keys are not copied.
    """
    imported = import_octobot(_read(state), credentials=credentials)
    dumped = dump_state(imported.state)
    if output is not None:
        _write_private(output, json.dumps(dumped, ensure_ascii=False, indent=2) + "\n")
    if as_json:
        notes = [{"path": note.path, "message": note.message} for note in imported.notes]
        where: dict[str, Any] = {"state": dumped} if output is None else {"file": str(output)}
        print_json({**where, "notes": notes})
        return
    if output is None:
        print_json(dumped)
    _tell(imported.notes)


def _read(file: Path) -> Any:
    """Return the JSON of a file.

    Raises:
        CommandError: it cannot be read, or is no JSON.
    """
    name = "stdin" if str(file) == STDIN else str(file)
    try:
        text = sys.stdin.read() if str(file) == STDIN else file.read_text(encoding="utf-8-sig")
        return json.loads(text)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}.", ExitCode.WRONG_INPUT) from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise CommandError(f"{name} is not a JSON state: {reason}.", ExitCode.WRONG_INPUT) from error


def _write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read: a state tells what somebody owns."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        os.fchmod(descriptor, 0o600)
        opened.write(text)


def _tell(notes: tuple[Note, ...]) -> None:
    for note in notes:
        typer.echo(str(note), err=True)
