"""The loopback exchange: books, faults and a dialect, before any port is opened."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from tests.support.loopback.accounts import MarketId, Milliseconds
from tests.support.loopback.binance import BinanceDialect
from tests.support.loopback.books import Books
from tests.support.loopback.dialect import Answer, Dialect, Request
from tests.support.loopback.faults import (
    Call,
    Delay,
    Drop,
    Fault,
    FaultTable,
    Late,
    Moment,
    PartialFill,
    Say,
    Trouble,
)
from tests.support.loopback.markets import Listing
from tests.support.loopback.okx import OkxDialect

_Speaking = Callable[[Books, Callable[[], Milliseconds]], Dialect]

DIALECTS: Final[Mapping[str, _Speaking]] = {"binance": BinanceDialect, "okx": OkxDialect}


@dataclass(frozen=True, slots=True)
class Received:
    """A request that arrived, without its signature."""

    method: str
    path: str
    private: bool
    key: str | None
    params: Mapping[str, str]


class _ConnectionLost(Exception):
    """The request ends here, without an answer."""


class LoopbackExchange:
    """An exchange that a test holds in its hands.

    Attributes:
        url: where it listens; empty before it does.
        books: accounts, prices and orders; a test reads and changes them as it goes.
        faults: what goes wrong.
        clock_offset: seconds by which its clock is ahead of this machine's.
        requests: all requests that arrived, oldest first.
    """

    def __init__(self, dialect: str, listings: Mapping[MarketId, Listing]) -> None:
        self.url = ""
        self.clock_offset = 0.0
        self.books = Books(listings, self.now)
        self.faults = FaultTable()
        self.requests: list[Received] = []
        self._late: set[asyncio.Task[None]] = set()
        self._dialect: Dialect = DIALECTS[dialect](self.books, self.now)

    def now(self) -> Milliseconds:
        """Return the exchange's clock."""
        return Milliseconds(int((time.time() + self.clock_offset) * 1_000))

    @property
    def counts(self) -> Counter[str]:
        """How often each path was asked for, such as `GET /api/v3/order`."""
        return Counter(f"{received.method} {received.path}" for received in self.requests)

    @property
    def private_requests(self) -> list[Received]:
        """The requests that needed a key."""
        return [received for received in self.requests if received.private]

    async def close(self) -> None:
        """Forget the requests that are still to arrive."""
        for task in self._late:
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    async def handle(self, incoming: web.Request) -> web.StreamResponse:
        """Answer a request, as far as the faults allow."""
        query, body = incoming.rel_url.raw_query_string, await incoming.text()
        params = self._dialect.parameters(query, body)
        request = Request(
            method=incoming.method,
            path=incoming.path,
            query=query,
            body=body,
            headers=incoming.headers,
            params=params,
        )
        shown = {name: value for name, value in params.items() if name != "signature"}
        private, key = self._dialect.is_private(request.path), self._dialect.key(request.headers)
        self.requests.append(Received(request.method, request.path, private, key, shown))
        faults = self.faults.take(request.method, request.path, key, params)
        try:
            answer = await self._answer(request, faults)
        except _ConnectionLost:
            if incoming.transport is not None:
                incoming.transport.abort()
            return web.Response()
        if isinstance(answer.body, str):
            return web.Response(
                text=answer.body, status=answer.status, headers=answer.headers, content_type="text/html"
            )
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)

    async def _answer(self, request: Request, faults: list[Fault]) -> Answer:
        said = await self._strike(faults, Moment.BEFORE, request)
        if said is not None:
            return said
        for fault in faults:
            if isinstance(fault, PartialFill):
                request = replace(request, fill=fault.part)
        answer = self._dialect.answer(request)
        return await self._strike(faults, Moment.AFTER, request) or answer

    async def _strike(self, faults: list[Fault], moment: Moment, request: Request) -> Answer | None:
        """Let the faults of a moment happen; return what is said instead of the answer."""
        said = None
        for fault in faults:
            if fault.moment is not moment:
                continue
            match fault:
                case Delay(seconds=seconds):
                    await asyncio.sleep(seconds)
                case Call(action=action):
                    await action()
                case Drop():
                    raise _ConnectionLost
                case Late(seconds=seconds):
                    self._arrive_later(request, seconds)
                    raise _ConnectionLost
                case Say(trouble=Trouble.PROXY_PAGE):
                    said = said or _proxy_page(request)
                case Say(trouble=trouble, retry_after=retry_after):
                    said = said or self._dialect.trouble(trouble, retry_after)
                case PartialFill():
                    pass
        return said

    def _arrive_later(self, request: Request, seconds: float) -> None:
        async def arrive() -> None:
            await asyncio.sleep(seconds)
            self._dialect.answer(request)

        task = asyncio.create_task(arrive())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


def _proxy_page(request: Request) -> Answer:
    """Return an error page that quotes a request, as proxies do that somebody is debugging."""
    headers = "<br>".join(f"{name}: {value}" for name, value in request.headers.items())
    return Answer(f"<h1>Bad gateway</h1>{request.method} {request.path}<br>{headers}", 502)
