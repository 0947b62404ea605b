"""What the connections of all clients share: how hosts are found and trusted, and nothing of an account."""

from __future__ import annotations

import socket
import ssl
from functools import cache
from typing import Any, Final

import aiohttp
import certifi
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from cachetools import TTLCache

from engine.types import Seconds

HOST_AGE: Final[Seconds] = 60
"""How long an address is believed, which exchanges change when they move traffic."""


class SharedResolver(AbstractResolver):
    """Asks the system for addresses, once a minute for all sessions of the process."""

    def __init__(self) -> None:
        self._known: TTLCache[tuple[str, int, int], list[ResolveResult]] = TTLCache(256, HOST_AGE)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host."""
        key = host, port, int(family)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = await ThreadedResolver().resolve(host, port, family)
        return list(found)

    async def close(self) -> None:
        """Nothing: it outlives the sessions."""


_RESOLVER: Final = SharedResolver()


@cache
def ssl_context() -> ssl.SSLContext:
    """Return the process's context: reading the list of authorities takes 20 ms, and it holds no secret."""
    return ssl.create_default_context(cafile=certifi.where())


def open_session(client: Any) -> None:
    """Give a client of ccxt a session of its own, which its `close` closes; needs a running event loop."""
    if client.session is None and not client.closed_by_user:
        client.ssl_context = ssl_context()
        # Both families at once, as ccxt itself does: a broken IPv6 must not cost a time-out.
        client.tcp_connector = aiohttp.TCPConnector(
            ssl=client.ssl_context, resolver=_RESOLVER, family=socket.AF_UNSPEC, happy_eyeballs_delay=0
        )
        client.session = aiohttp.ClientSession(
            connector=client.tcp_connector, trust_env=client.aiohttp_trust_env
        )
