"""The command that lets Temporal's UI show encoded payloads: codec-server."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import typer

import connection
from cli.arguments import JsonFlag
from cli.errors import CommandError
from cli.output import print_json, print_lines
from codec import OctoflowCodec
from connection import Settings
from worker import stop_on_signals

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8081


def codec_server(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port on this machine.")] = DEFAULT_PORT,
    origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A page that may decode; default: the UI of `octoflow server`."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Let Temporal's UI show compressed and encrypted payloads, on this machine only.

    Enter the address that it prints in the UI, under the glasses at the top: "Remote Codec Endpoint". The
    keys are those of OCTOFLOW_ENCRYPTION_KEY or OCTOFLOW_ENCRYPTION_KEY_FILE.
    """
    settings = connection.load_settings()
    asyncio.run(_serve(settings, port, origin or _own_ui(settings), as_json=as_json))


def _own_ui(settings: Settings) -> list[str]:
    return [f"http://{host}:{settings.ui_port}" for host in (HOST, "localhost")]


async def _serve(settings: Settings, port: int, origins: list[str], *, as_json: bool) -> None:
    from aiohttp import web  # half the start-up time of a command, which no other command should pay

    from cli.servers.codec_app import codec_app

    stop = stop_on_signals()
    runner = web.AppRunner(codec_app(OctoflowCodec(settings.payload_keys()), origins), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        await runner.cleanup()
        raise CommandError(
            f"port {port} cannot be used ({error.strerror}): choose another --port."
        ) from error
    address = f"http://{HOST}:{port}"
    if as_json:
        print_json({"address": address, "origins": origins})
    else:
        print_lines([f"Codec server at {address}, for {', '.join(origins)}. Ctrl-C ends it."])
    await stop.wait()
    await runner.cleanup()
