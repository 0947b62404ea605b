"""Checks of this machine: versions, the data folder, the encryption of what Temporal stores."""

from __future__ import annotations

import os
import platform
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import connection
from cli.servers.checks.finding import Check, Finding, failed, ok, warning
from connection import Settings

PACKAGES: Final = ("octoflow", "temporalio", "ccxt", "ta-lib")


@asynccontextmanager
async def this_machine(settings: Settings) -> AsyncIterator[Settings]:
    """Return what the checks of this machine look at."""
    yield settings


async def _versions(_settings: Settings) -> Sequence[Finding]:
    found = {"Python": platform.python_version()}
    missing = []
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        return [
            failed(f"not installed: {', '.join(missing)}", "Install them: `pip install octoflow[local]`.")
        ]
    return [ok(", ".join(f"{name} {number}" for name, number in found.items()))]


async def _data_folder(settings: Settings) -> Sequence[Finding]:
    existing = next(
        folder for folder in (settings.home, *settings.home.absolute().parents) if folder.exists()
    )
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        advice = "Make it yours, or name another folder with OCTOFLOW_HOME."
        return [failed(f"{existing} cannot be written, and {settings.home} belongs in it", advice)]
    note = "" if existing == settings.home else " (made when it is needed)"
    return [ok(f"{settings.home} can be written{note}")]


async def _encryption(settings: Settings) -> Sequence[Finding]:
    key = settings.payload_keys().current
    if key is not None:
        return [ok(f"on, with the key {key}")]
    if connection.configured_address() is None:
        return [ok("off: states lie readable in the database of this machine's development server")]
    return [
        warning(
            "off: whoever may look into the Temporal server reads balances and orders",
            "Set OCTOFLOW_ENCRYPTION_KEY, or OCTOFLOW_ENCRYPTION_KEY_FILE, here and on every worker.",
        )
    ]


CHECKS: Final[Sequence[Check[Settings]]] = (
    Check("versions", _versions),
    Check("data folder", _data_folder),
    Check("encryption", _encryption),
)
