"""The command line under test, inside this process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code and what it printed."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Octoflow:
    """Runs `octoflow` with arguments."""

    def __call__(self, *arguments: str, stdin: str | None = None) -> Ran:
        result = CliRunner().invoke(app, list(arguments), input=stdin)
        return Ran(result.exit_code, result.stdout, result.stderr)

    def fails(self, *arguments: str, code: int, saying: Sequence[str] = (), stdin: str | None = None) -> Ran:
        """Run a command that must fail with an exit code and one message, never a traceback."""
        ran = self(*arguments, stdin=stdin)
        assert ran.exit_code == code, ran
        assert "Traceback" not in ran.err
        for said in saying:
            assert said in ran.err
        return ran


@pytest.fixture
def octoflow(monkeypatch: pytest.MonkeyPatch) -> Octoflow:
    """The command, which finds no Temporal server by accident."""
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv("OCTOFLOW_PORT", "9")
    monkeypatch.setenv("OCTOFLOW_CONNECT_TIMEOUT", "2")
    return Octoflow()
