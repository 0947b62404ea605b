"""The command that checks automation files: validate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cli.arguments import JsonFlag
from cli.errors import CommandError, ExitCode, report
from cli.output import console, print_json
from cli.writing.file_input import read_automation
from engine.automation_file import AutomationFileError


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
