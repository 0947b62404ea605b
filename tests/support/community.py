"""A community on loopback that gives each token a cookie, and notices one that comes with another token."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from engine.community import HttpCommunity

COOKIE = "community_session"


@dataclass
class CommunityServer:
    """What the server knows and does; a test changes it as it goes.

    Attributes:
        tokens: who may come in, by token.
        snapshots: the newest one by strategy.
        log: all entries.
        seen: by name, the cookies that requests came with.
        connections: by name, those that requests came over.
        requests: how often each path was asked for.
        answer: status and text of every answer, when set.
        headers: of such an answer.
        open: cleared, requests wait until it is set.
        reached: set by every request.
    """

    tokens: dict[str, str] = field(default_factory=dict)
    snapshots: dict[str, Any] = field(default_factory=dict)
    log: list[Any] = field(default_factory=list)
    seen: dict[str, set[str]] = field(default_factory=dict)
    connections: dict[str, set[asyncio.Transport]] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    answer: tuple[int, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""
    open: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def community(self, reference: str | None = None, **options: Any) -> HttpCommunity:
        """Return the way to this server; `env:NAME` is the reference of a name's token."""
        resolve = {f"env:{name}": token for token, name in self.tokens.items()}.get
        return HttpCommunity(url=self.url, reference=reference, resolve=resolve, **options)

    async def reached_by(self, clients: int) -> None:
        """Wait until requests have come over that many connections."""
        while sum(len(of_name) for of_name in self.connections.values()) < clients:
            self.reached.clear()
            await self.reached.wait()

    async def all_connections_are_closed(self) -> bool:
        """Whether every connection ends within some turns of the loop, as those of closed sessions do."""
        for _ in range(1_000):
            if all(one.is_closing() for of_name in self.connections.values() for one in of_name):
                return True
            await asyncio.sleep(0)
        return False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request as `docs/community.md` says."""
        self.requests[f"{request.method} {request.path}"] += 1
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        name = self.tokens.get(token)
        assert request.transport is not None
        self.connections.setdefault(name or "", set()).add(request.transport)
        self.reached.set()
        await self.open.wait()
        if self.answer is not None:
            return web.Response(status=self.answer[0], text=self.answer[1], headers=self.headers)
        if name is None:
            return web.Response(status=401, text=f"unknown token {token}")
        self.seen.setdefault(name, set()).update(request.cookies.values())
        response = await self._respond(request)
        response.set_cookie(COOKIE, f"cookie-of-{name}")
        return response

    async def _respond(self, request: web.Request) -> web.Response:
        strategy = request.match_info.get("strategy", "")
        if request.method == "PUT":
            self.snapshots[strategy] = await request.json()
        elif request.method == "POST":
            self.log += (await request.json())["entries"]
        elif strategy not in self.snapshots:
            return web.Response(status=404)
        else:
            return web.json_response(self.snapshots[strategy])
        return web.Response(status=204)


@asynccontextmanager
async def serving(**tokens: str) -> AsyncIterator[CommunityServer]:
    """Run a community, on a port of its own; `tokens` gives the token of each name."""
    server = CommunityServer({token: name for name, token in tokens.items()})
    server.open.set()
    app = web.Application()
    app.router.add_route("*", "/v1/signals/{strategy}", server.handle)
    app.router.add_route("*", "/v1/logs", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    # Cookies of bare addresses are never kept: only a host with a name shows whether sessions share them.
    server.url = f"http://localhost:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        server.open.set()
        await runner.cleanup()
