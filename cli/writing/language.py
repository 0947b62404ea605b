"""Commands that say what can be written: schema, operators."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.arguments import JsonFlag
from cli.errors import CommandError, ExitCode
from cli.output import console, print_json, print_lines, table
from cli.writing import reference
from engine.automation_file import automation_json_schema
from engine.operators import default_registry


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
