"""A loopback exchange behind a port of this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from tests.support.loopback.accounts import MarketId
from tests.support.loopback.control import add_control
from tests.support.loopback.exchange import LoopbackExchange
from tests.support.loopback.markets import Listing, written_listings


@asynccontextmanager
async def serving_binance(
    listings: Mapping[MarketId, Listing] | None = None,
) -> AsyncIterator[LoopbackExchange]:
    """Run an exchange that speaks as Binance's spot market does, on a port of its own."""
    async with serving("binance", listings) as exchange:
        yield exchange


@asynccontextmanager
async def serving_okx(
    listings: Mapping[MarketId, Listing] | None = None,
) -> AsyncIterator[LoopbackExchange]:
    """Run an exchange that speaks as OKX's spot market does, on a port of its own."""
    async with serving("okx", listings) as exchange:
        yield exchange


@asynccontextmanager
async def serving(
    dialect: str, listings: Mapping[MarketId, Listing] | None = None, *, port: int = 0
) -> AsyncIterator[LoopbackExchange]:
    """Run an exchange until the block ends.

    Args:
        dialect: how it speaks: `binance` or `okx`.
        listings: its markets; those written for it when left out.
        port: 0 for any free one.
    """
    exchange = LoopbackExchange(dialect, written_listings() if listings is None else listings)
    app = web.Application()
    add_control(app, exchange)
    app.router.add_route("*", "/{path:.*}", exchange.handle)
    # A request whose sender is gone is carried out all the same, as on a real exchange; one that hangs in a
    # fault must not hold up the end of a test.
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host, bound = runner.addresses[0][:2]
        exchange.url = f"http://{host}:{bound}"
        yield exchange
    finally:
        await runner.cleanup()
        await exchange.close()
