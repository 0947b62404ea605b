"""Servers for workflow tests: one per test, since the time-skipping clock belongs to the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import development_server, time_skipping


@pytest.fixture
async def skipping(temporal_test_server_binary: Path) -> AsyncIterator[WorkflowEnvironment]:
    """A server that skips time."""
    async with time_skipping(temporal_test_server_binary) as environment:
        yield environment


@pytest.fixture
async def server(temporal_binary: Path) -> AsyncIterator[WorkflowEnvironment]:
    """A real server."""
    async with development_server(temporal_binary) as environment:
        yield environment
