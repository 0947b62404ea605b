"""The command that prepares a Temporal server: setup."""

from __future__ import annotations

import asyncio

from temporalio.service import RPCError

import connection
from cli.arguments import JsonFlag
from cli.errors import CommandError
from cli.output import print_json, print_lines
from connection import Settings
from workflows.search_attributes import SEARCH_ATTRIBUTES


def setup(as_json: JsonFlag = False) -> None:
    """Prepare the Temporal server in use: register Octoflow's search attributes. Doing it twice is fine."""
    address = asyncio.run(_set_up(connection.load_settings()))
    if as_json:
        print_json({"address": address, "search_attributes": [key.name for key in SEARCH_ATTRIBUTES]})
    else:
        print_lines([f"The Temporal server at {address} is set up for Octoflow."])


async def _set_up(settings: Settings) -> str:
    client = await connection.connect(settings)
    try:
        await connection.register_search_attributes(client)
    except RPCError as error:
        wanted = ", ".join(f"{key.name} ({key.indexed_value_type.name})" for key in SEARCH_ATTRIBUTES)
        raise CommandError(
            f"the server lets nobody register search attributes from here ({error.message}). "
            f"Create these in its own settings: {wanted}."
        ) from error
    return client.service_client.config.target_host
