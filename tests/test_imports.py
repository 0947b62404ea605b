"""Single modules at the root, which the import linter cannot look into, keep to the same rules."""

from __future__ import annotations

import subprocess
import sys

import pytest


def modules_after_importing(module: str) -> set[str]:
    listing = f"import sys, {module}; print('\\n'.join(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    return set(finished.stdout.split())


@pytest.mark.parametrize("module", ["connection", "codec"])
def test_the_connection_imports_no_engine(module: str) -> None:
    imported = modules_after_importing(module)
    assert imported.isdisjoint({"engine", "activities", "worker", "cli"})


def test_the_worker_imports_no_command_line() -> None:
    assert modules_after_importing("worker").isdisjoint({"cli", "typer", "rich"})


@pytest.mark.parametrize(
    "heavy", ["aiohttp", "ccxt", "cryptography", "keyring", "numpy", "talib", "temporalio"]
)
def test_the_engine_loads_no_heavy_library_before_it_is_needed(heavy: str) -> None:
    assert heavy not in modules_after_importing("engine")
