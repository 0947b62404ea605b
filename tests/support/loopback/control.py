"""The loopback exchange in the hands of another process: what a test does to it, over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from decimal import Decimal
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import ClientSession, web
from pydantic import TypeAdapter

from tests.support.loopback.accounts import AcceptedOrder, Account, ApiKey, Rights
from tests.support.loopback.exchange import LoopbackExchange, Received
from tests.support.loopback.faults import (
    ANY_REQUEST,
    Delay,
    Drop,
    Fault,
    Late,
    PartialFill,
    Rule,
    Say,
    Where,
)

_FAULTS: Final[Mapping[str, TypeAdapter[Any]]] = {
    kind.__name__: TypeAdapter(kind) for kind in (Delay, Drop, Late, Say, PartialFill)
}
"""Those that can be named from another process."""
_WHERE: Final = TypeAdapter(Where)
_RIGHTS: Final = TypeAdapter(Rights)
_ACCOUNT: Final = TypeAdapter(Account)
_ACCEPTED: Final = TypeAdapter(list[AcceptedOrder])
_REQUESTS: Final = TypeAdapter(list[Received])

_Handler = Callable[[web.Request], Awaitable[web.Response]]


def add_control(app: web.Application, exchange: LoopbackExchange) -> None:
    """Let an application answer `LoopbackControl` under /control."""
    rules: dict[int, Rule] = {}

    async def add_account(request: web.Request) -> web.Response:
        given = await request.json()
        rights = _RIGHTS.validate_python(given.pop("rights"))
        exchange.books.add_account(**given, rights=rights)
        return web.json_response({})

    async def set_price(request: web.Request) -> web.Response:
        given = await request.json()
        exchange.books.set_price(given["market"], given["price"])
        return web.json_response({})

    async def set_clock(request: web.Request) -> web.Response:
        exchange.clock_offset = (await request.json())["offset"]
        return web.json_response({})

    async def fill(request: web.Request) -> web.Response:
        given = await request.json()
        account = exchange.books.accounts[given["key"]]
        order = exchange.books.find(account, given["market"], client_id=given["client_id"])
        exchange.books.fill(account, order, None if given["amount"] is None else Decimal(given["amount"]))
        return web.json_response({})

    async def add_fault(request: web.Request) -> web.Response:
        given = await request.json()
        fault = _FAULTS[given.pop("kind")].validate_python(given.pop("fault"))
        rules[len(rules)] = exchange.faults.add(fault, _WHERE.validate_python(given.pop("where")), **given)
        return web.json_response({"fault": len(rules) - 1})

    async def remove_fault(request: web.Request) -> web.Response:
        exchange.faults.remove(rules[int(request.match_info["fault"])])
        return web.json_response({})

    async def account(request: web.Request) -> web.Response:
        return _json(_ACCOUNT, exchange.books.accounts[ApiKey(request.match_info["key"])])

    async def accepted(_: web.Request) -> web.Response:
        return _json(_ACCEPTED, exchange.books.accepted)

    async def requests(_: web.Request) -> web.Response:
        return _json(_REQUESTS, exchange.requests)

    async def forget_requests(_: web.Request) -> web.Response:
        exchange.requests.clear()
        return web.json_response({})

    routes: tuple[tuple[str, str, _Handler], ...] = (
        ("POST", "accounts", add_account),
        ("GET", "accounts/{key}", account),
        ("POST", "prices", set_price),
        ("POST", "clock", set_clock),
        ("POST", "fills", fill),
        ("POST", "faults", add_fault),
        ("DELETE", "faults/{fault}", remove_fault),
        ("GET", "accepted", accepted),
        ("GET", "requests", requests),
        ("DELETE", "requests", forget_requests),
    )
    for method, path, handler in routes:
        app.router.add_route(method, f"/control/{path}", handler)


def _json(adapter: TypeAdapter[Any], value: Any) -> web.Response:
    return web.Response(body=adapter.dump_json(value), content_type="application/json")


class LoopbackControl:
    """A loopback exchange of another process; to be used as an asynchronous context manager.

    Attributes:
        url: where it listens.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = ClientSession(url, raise_for_status=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def add_account(
        self,
        key: str,
        secret: str,
        balances: Mapping[str, Decimal | int | str],
        *,
        passphrase: str = "",
        rights: Rights | None = None,
    ) -> None:
        """Open an account that holds `balances`, free."""
        await self._send(
            "accounts",
            key=key,
            secret=secret,
            balances={asset: str(amount) for asset, amount in balances.items()},
            passphrase=passphrase,
            rights=asdict(rights or Rights()),
        )

    async def set_price(self, market: str, price: Decimal | int | str) -> None:
        """Move the price of a market."""
        await self._send("prices", market=market, price=str(price))

    async def set_clock(self, offset: float) -> None:
        """Put the exchange's clock ahead of this machine's, by seconds."""
        await self._send("clock", offset=offset)

    async def fill(self, key: str, market: str, client_id: str, amount: Decimal | None = None) -> None:
        """Fill an open order, or a part of it, at its own price."""
        text = None if amount is None else str(amount)
        await self._send("fills", key=key, market=market, client_id=client_id, amount=text)

    async def add_fault(
        self,
        fault: Fault,
        where: Where = ANY_REQUEST,
        *,
        skip: int = 0,
        times: int | None = 1,
        probability: float = 1.0,
        seed: int = 0,
    ) -> int:
        """Set a fault and return its number; a `Call` cannot leave its process.

        Raises:
            KeyError: the fault is a `Call`.
        """
        kind = type(fault).__name__
        described = _FAULTS[kind].dump_python(fault, mode="json")
        answer = await self._send(
            "faults",
            kind=kind,
            fault=described,
            where=asdict(where),
            skip=skip,
            times=times,
            probability=probability,
            seed=seed,
        )
        return int(answer["fault"])

    async def remove_fault(self, number: int) -> None:
        """Take a fault back."""
        async with self._session.delete(f"/control/faults/{number}"):
            pass

    async def account(self, key: str) -> Account:
        """Return a copy of an account as it is now."""
        return _ACCOUNT.validate_json(await self._read(f"accounts/{key}"))

    async def accepted(self) -> list[AcceptedOrder]:
        """Return every order that was ever taken, oldest first."""
        return _ACCEPTED.validate_json(await self._read("accepted"))

    async def requests(self) -> list[Received]:
        """Return the requests that arrived, oldest first."""
        return _REQUESTS.validate_json(await self._read("requests"))

    async def forget_requests(self) -> None:
        """Begin to note requests anew."""
        async with self._session.delete("/control/requests"):
            pass

    async def _send(self, path: str, **given: Any) -> Any:
        async with self._session.post(f"/control/{path}", json=given) as answer:
            return await answer.json()

    async def _read(self, path: str) -> bytes:
        async with self._session.get(f"/control/{path}") as answer:
            return await answer.read()
