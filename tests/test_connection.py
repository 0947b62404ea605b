"""Reaching Temporal: which server is used, and what a person is told when there is none."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from connection import (
    NotReachableError,
    PortInUseError,
    ServerNotFoundError,
    Settings,
    connect,
    embedded_server,
    find_temporal,
    load_settings,
    search_attributes_registered,
)

UI_OFFSET = 1000


@pytest.fixture(autouse=True)
def no_configured_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the server that the developer's environment names, if any."""
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "no-temporal.toml"))


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port below the UI's range on which another program listens."""
    for port in range(20_000, 21_000):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            listener.listen()
            yield port
            return


@pytest.fixture
def free_port(taken_port: int) -> int:
    """A port that is free, with a free one for the UI above it."""
    for port in range(taken_port + 1, taken_port + UI_OFFSET):
        with socket.socket() as server, socket.socket() as ui:
            try:
                server.bind(("127.0.0.1", port))
                ui.bind(("127.0.0.1", port + UI_OFFSET))
            except OSError:
                continue
            return port
    pytest.fail("no free port")


async def test_a_development_server_keeps_its_database_and_knows_the_search_attributes(
    tmp_path: Path, free_port: int
) -> None:
    settings = Settings(home=tmp_path / "new folder", port=free_port)
    for _ in range(2):  # the second start finds the database of the first
        async with embedded_server(settings) as server:
            assert server.started
            assert server.database == tmp_path / "new folder" / "temporal.db"
            assert await search_attributes_registered(await connect(settings))
        with pytest.raises(NotReachableError):
            await connect(settings)


async def test_a_configured_server_is_used_instead_of_starting_one(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, port=free_port)
    async with embedded_server(settings, in_memory=True) as running:
        monkeypatch.setenv("TEMPORAL_ADDRESS", running.address)
        async with embedded_server(Settings(home=tmp_path, port=1)) as server:
            assert (server.address, server.started) == (running.address, False)


async def test_no_answer_says_where_and_what_to_do(free_port: int) -> None:
    with pytest.raises(NotReachableError, match=f"127.0.0.1:{free_port}.*octoflow server.*TEMPORAL_ADDRESS"):
        await connect(Settings(port=free_port))


async def test_a_server_that_never_answers_counts_as_not_reachable(taken_port: int) -> None:
    with pytest.raises(NotReachableError, match="timed out"):
        await connect(Settings(port=taken_port, connect_timeout=0.2))


@pytest.mark.parametrize("offset", [0, UI_OFFSET], ids=["server", "ui"])
async def test_a_taken_port_is_named(tmp_path: Path, taken_port: int, offset: int) -> None:
    settings = Settings(home=tmp_path, port=taken_port - offset)
    with pytest.raises(PortInUseError, match=f"port {taken_port} is in use.*OCTOFLOW_PORT"):
        async with embedded_server(settings):
            pytest.fail("it started")


def test_the_program_beside_python_is_found(temporal_binary: Path) -> None:
    assert find_temporal(Settings()) == temporal_binary


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ServerNotFoundError, match="no program at"):
        find_temporal(Settings(temporal_path=tmp_path / "missing"))


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OCTOFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("OCTOFLOW_PORT", "7300")

    settings = load_settings()

    assert (settings.home, settings.local_address, settings.ui_port) == (tmp_path, "127.0.0.1:7300", 8300)
