"""`octoflow setup` prepares a Temporal server that others run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from connection import plugin, search_attributes_registered
from tests.cli.conftest import Octoflow
from workflows.search_attributes import SEARCH_ATTRIBUTES


async def test_search_attributes_are_registered_once_and_doing_it_again_is_fine(
    temporal_binary: Path, octoflow: Octoflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await WorkflowEnvironment.start_local(
        plugins=[plugin()], dev_server_existing_path=str(temporal_binary), dev_server_log_level="never"
    ) as bare:
        address = bare.client.service_client.config.target_host
        monkeypatch.setenv("TEMPORAL_ADDRESS", address)
        assert not await search_attributes_registered(bare.client)

        ran = await asyncio.to_thread(octoflow, "setup")
        again = await asyncio.to_thread(octoflow, "setup", "--json")

        assert ran.exit_code == 0, ran
        assert ran.out == f"The Temporal server at {address} is set up for Octoflow.\n"
        assert json.loads(again.out)["search_attributes"] == [key.name for key in SEARCH_ATTRIBUTES]
        assert await search_attributes_registered(bare.client)


def test_without_a_server_it_says_how_to_start_one(octoflow: Octoflow) -> None:
    octoflow.fails("setup", code=3, saying=["octoflow server"])
