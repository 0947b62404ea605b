"""The installed command, as a user runs it: own processes, own server, own data folder."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

UI_OFFSET = 1000
RUN_SECONDS = 120


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    exit_code: int
    out: str
    err: str

    @property
    def documents(self) -> list[Any]:
        """The JSON documents it printed, one after the other."""
        decoder, text, found = json.JSONDecoder(), self.out.strip(), []
        while text:
            document, end = decoder.raw_decode(text)
            found.append(document)
            text = text[end:].strip()
        return found


@dataclass(frozen=True)
class Installation:
    """One user's Octoflow: a data folder and a port of its own."""

    environment: dict[str, str]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and return at once."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env=self.environment,
        )

    def run(self, *arguments: str, timeout: float = RUN_SECONDS) -> Finished:
        """Run a command to its end."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=timeout)
        return Finished(process.returncode, out, err)


def _free_port() -> int:
    """Return a port that is free, with a free one for the UI above it."""
    while True:
        with socket.socket() as server, socket.socket() as ui:
            server.bind(("127.0.0.1", 0))
            port: int = server.getsockname()[1]
            try:
                ui.bind(("127.0.0.1", port + UI_OFFSET))
            except (OSError, OverflowError):
                continue
            return port


@pytest.fixture
def installation(octoflow_home: Path) -> Iterator[Installation]:
    """An installation whose background processes end with the test."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    installed = Installation({**environment, "OCTOFLOW_PORT": str(_free_port())})
    yield installed
    installed.run("server", "--stop")
