"""A development server, and the nursery of the workers that poll it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.chaos.storm import workshop
from tests.chaos.workers import Nursery
from tests.support.temporal import development_server


@pytest.fixture
async def client(temporal_binary: Path) -> AsyncIterator[Client]:
    """A client of a real server, in memory."""
    async with development_server(temporal_binary) as environment:
        yield environment.client


@pytest.fixture
async def workers(client: Client) -> AsyncIterator[Nursery]:
    """Where the workers come from that are killed."""
    async with workshop(client) as nursery:
        yield nursery
