"""Arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

_JSON_KEY: Final = "octoflow.json"

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The automation file; - reads stdin.")]
AutomationId = Annotated[
    str, typer.Argument(metavar="ID", help="The automation's id; `octoflow list` shows it.")
]


def _remember_json(context: typer.Context, value: bool) -> bool:
    if value:
        context.meta[_JSON_KEY] = True
    return value


JsonFlag = Annotated[
    bool,
    typer.Option("--json", help="Print JSON for programs.", callback=_remember_json, is_eager=True),
]


def wants_json(context: Any) -> bool:
    """Tell whether the command line asked for JSON, also when the command itself never started."""
    return bool(context.meta.get(_JSON_KEY))
