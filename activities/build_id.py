"""Names the code that a process runs: the release, and the commit that it was made from.

Servers tell workers apart by it, so two commits have two names. The build hook of the project runs this file
as well, which is why it needs nothing but the standard library.
"""

from __future__ import annotations

import os
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Final

COMMIT_FILE: Final = "commit.txt"
"""Beside this module in what was built: the commit that it was built from."""

SHIPPED: Final = (
    "octoflow",
    "engine",
    "workflows",
    "activities",
    "cli",
    "worker.py",
    "connection.py",
    "codec.py",
)
"""What a wheel has; changes elsewhere do not change what a worker does."""

_ROOT: Final = Path(__file__).parents[1]
_SHOWN_DIGITS: Final = 12
_GIT_SECONDS: Final = 2


def build_id(root: Path = _ROOT) -> str:
    """Return the name of the code under `root`: `0.1.0+37eccb6f12ab`.

    A checkout with changes that are not committed has `.dirty` behind it. Where no commit is known, it is the
    release alone.
    """
    commit = built_from(root) or commit_with_changes(root)
    release = version("octoflow")
    return release if commit is None else f"{release}+{commit}"


def built_from(root: Path) -> str | None:
    """Return the commit that was written down when the code was built; None in a checkout."""
    try:
        return (root / "activities" / COMMIT_FILE).read_text().strip() or None
    except OSError:
        return None


def commit_with_changes(root: Path) -> str | None:
    """Return the commit of a checkout, 12 digits, with `.dirty` behind it if the code differs from it."""
    commit = commit_of(root)
    if commit is None:
        return None
    return f"{commit[:_SHOWN_DIGITS]}{'.dirty' if is_changed(root) else ''}"


def commit_of(root: Path) -> str | None:
    """Return the commit that a checkout stands at, all digits; read from `.git`, without the program."""
    try:
        folder = _git_folder(root / ".git")
        head = (folder / "HEAD").read_text().strip()
        name = head.removeprefix("ref: ")
        found = head if name == head else _resolved(folder, name)
    except (OSError, UnicodeDecodeError):
        return None
    return found if re.fullmatch("[0-9a-f]{40,64}", found) else None


def is_changed(root: Path) -> bool:
    """Tell whether the code of a checkout differs from its commit; False where git cannot be asked."""
    # Within a hook of git, these variables would name another repository.
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "--no-optional-locks", "status", "--porcelain", "--", *SHIPPED]
    try:
        asked = subprocess.run(
            command, cwd=root, env=surroundings, capture_output=True, timeout=_GIT_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return asked.returncode == 0 and bool(asked.stdout)


def _git_folder(path: Path) -> Path:
    """Return git's folder; in a worktree or a submodule, `.git` is a file that names it."""
    if path.is_dir():
        return path
    return path.parent / path.read_text().strip().removeprefix("gitdir: ")


def _resolved(folder: Path, name: str) -> str:
    """Return the commit of a branch; branches of a worktree are kept in the folder that it shares."""
    named = folder / "commondir"
    shared = folder / named.read_text().strip() if named.exists() else folder
    for place in (folder / name, shared / name):
        if place.is_file():
            return place.read_text().strip()
    for line in (shared / "packed-refs").read_text().splitlines():
        commit, _, packed = line.partition(" ")
        if packed == name:
            return commit
    return ""
