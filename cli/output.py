"""Prints what commands found: text for people on a terminal, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

LOG_WIDTH: Final = 140
"""Columns where the output is no terminal, whose width would be known."""


def console() -> Console:
    """Return a console on the present stdout, which a test or a pipe may have replaced."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=LOG_WIDTH)


def print_json(value: Any) -> None:
    """Print a value as one JSON document."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines as they are, never wrapped."""
    for line in lines:
        typer.echo(line)


def table(
    title: str | None,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | Text]],
    *,
    cut: Sequence[str] = (),
) -> Table:
    """Return a table in the one style of this command line; texts are shown as they are, without markup.

    Args:
        title: above the table.
        columns: their headers.
        rows: their cells.
        cut: the columns that give way where the terminal is too narrow.
    """
    result = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for index, header in enumerate(columns):
        width = max(len(header), *(len(row[index]) for row in rows), 1)
        least = None if header in cut else width
        result.add_column(header, header_style="dim", no_wrap=True, overflow="ellipsis", min_width=least)
    for row in rows:
        result.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return result


def moment(timestamp: float | None) -> str:
    """Return UNIX seconds as a date and time that people read: `2024-01-15 08:00:00`, in UTC."""
    if not timestamp:
        return "-"
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """Return seconds in the two largest units that fit: `2d 4h`, `3m 20s`, `0.4s`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}s"
    parts: list[str] = []
    left = int(seconds)
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        amount, left = divmod(left, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return " ".join(parts[:2])
