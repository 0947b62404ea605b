"""Commands about files and the language: validate, schema, operators, invoke."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from cli.arguments import JsonFlag
from cli.errors import CommandError, ExitCode, report
from cli.output import console, print_json, print_lines, table
from cli.writing import reference
from engine.automation_file.compile import AutomationFileError, load_automation
from engine.automation_file.schema import automation_json_schema, parse_moment
from engine.job.job import AutomationJob
from engine.job.request import InvocationRequest
from engine.operators import default_registry
from engine.state import AutomationState, TriggerReason

STDIN: Final = "-"


def read_automation(file: Path) -> AutomationState:
    """Load an automation file, or standard input for `-`.

    Raises:
        AutomationFileError: with everything that is wrong with it.
        CommandError: it cannot be read.
    """
    if str(file) == STDIN:
        return load_automation(sys.stdin.read(), source_name="stdin", folder=Path.cwd())
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}.", ExitCode.WRONG_INPUT) from error
    except UnicodeDecodeError as error:
        message = f"{file}: not UTF-8 text (byte {error.start}). Save the file as UTF-8."
        raise CommandError(message, ExitCode.WRONG_INPUT) from error
    return load_automation(text, source_name=str(file), folder=file.resolve().parent)


def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Automation files; - reads stdin.")],
    as_json: JsonFlag = False,
) -> None:
    """Check automation files without running them: all problems at once, with their position."""
    answers: list[dict[str, Any]] = []
    for file in files:
        try:
            state = read_automation(file)
        except (AutomationFileError, CommandError) as error:
            answers.append({"file": str(file), "valid": False, "problems": _problems(error)})
            if not as_json:
                report(error, as_json=False)
        else:
            answers.append({"file": str(file), "valid": True, "actions": len(state.actions)})
            if not as_json:
                count = len(state.actions)
                line = f"{file}: {count} action{'' if count == 1 else 's'}"
                console().print(Text.assemble(("✓ ", "green"), line), soft_wrap=True)
    if as_json:
        print_json(answers)
    if not all(answer["valid"] for answer in answers):
        raise typer.Exit(ExitCode.WRONG_INPUT)


def _problems(error: AutomationFileError | CommandError) -> list[dict[str, Any]]:
    if isinstance(error, CommandError):
        return [{"message": str(error)}]
    return [
        {
            "line": problem.line,
            "column": problem.column,
            "action": problem.action,
            "message": problem.message,
            "hint": problem.hint,
        }
        for problem in error.problems
    ]


def schema() -> None:
    """Print the JSON Schema of automation files, for editors that complete and check."""
    print_json(automation_json_schema())


def operators(
    name: Annotated[str | None, typer.Argument(help="An operator, or a set of them.")] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the reference page.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show what scripts can call: all operators, one set, or one operator in detail."""
    registry = default_registry()
    if as_markdown:
        typer.echo(reference.markdown(registry), nl=False)
        return
    shown = [found for found in registry.definitions() if name in (None, found.name, found.set_name)]
    if not shown:
        hint = registry.suggest(name or "", [group.name for group in registry.sets()])
        suggestion = f" Did you mean `{hint}`?" if hint else ""
        raise CommandError(f"there is no operator or set {name!r}.{suggestion}", ExitCode.WRONG_INPUT)
    if as_json:
        print_json([definition.describe() for definition in shown])
    elif len(shown) == 1 and shown[0].name == name:
        print_lines(reference.plain(shown[0]))
    else:
        for group in registry.sets():
            members = [definition for definition in shown if definition.set_name == group.name]
            if members:
                rows = [(definition.name, definition.summary) for definition in members]
                console().print(
                    table(f"{group.name}: {group.summary}", ["operator", "summary"], rows, cut=["summary"])
                )


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
