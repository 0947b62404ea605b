"""What all tests share: a market, the servers' programs, and a watch on processes left behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from decimal import DefaultContext, localcontext
from pathlib import Path

import psutil
import pytest

from tests.support.leftovers import describe, left_running, mark_this_run

pytest_plugins = ["tests.support.watchdog"]

REPOSITORY = Path(__file__).parents[1]
SAMPLE_MARKET = REPOSITORY / "examples" / "sample_market"


def _beside_python(name: str) -> Path:
    """Return a program that a package installed into this virtual environment."""
    program = Path(sys.executable).with_name(name)
    if not program.exists():
        pytest.fail(f"{program} is missing; run `make setup`")
    return program


@pytest.fixture(scope="session")
def temporal_binary() -> Path:
    """The Temporal command line, which holds the development server."""
    return _beside_python("temporal")


@pytest.fixture(scope="session")
def temporal_test_server_binary() -> Path:
    """The time-skipping test server."""
    return _beside_python("temporal-test-server")


@pytest.fixture(scope="session")
def market_data() -> Path:
    """A folder of recorded candles: that of `OCTOFLOW_MARKET_DATA` if it exists, else the sample market."""
    named = os.environ.get("OCTOFLOW_MARKET_DATA")
    return Path(named) if named and Path(named).is_dir() else SAMPLE_MARKET


@pytest.fixture(autouse=True)
def octoflow_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder per test, so that no test sees the user's servers and automations."""
    home = tmp_path / "home"
    monkeypatch.setenv("OCTOFLOW_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def decimal_settings() -> Iterator[None]:
    """Decimal settings per test: ccxt changes those it is called with, and some tests call it directly."""
    with localcontext(DefaultContext):
        yield


@pytest.fixture(scope="session", autouse=True)
def no_process_is_left_behind() -> Iterator[None]:
    """Fail the run when a test leaves a server, a worker or another process running."""
    mark_this_run()
    yield
    _, alive = psutil.wait_procs(left_running(), timeout=5)
    described = ", ".join(map(describe, alive))
    for process in alive:
        process.kill()
    if alive:
        pytest.fail(f"tests left processes running: {described}")
