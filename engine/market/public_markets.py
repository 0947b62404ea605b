"""Loading an exchange's market list, away from the event loop that invocations run on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from engine.exchanges import (
    Client,
    capabilities_of,
    close_client,
    connect,
    make_client,
    precision_of,
    reading,
)
from engine.market.market_lists import Markets, parse_public_markets
from engine.state import ExchangeDetails
from engine.types import TIME_FRAMES, TimeFrame


@dataclass(frozen=True, slots=True)
class MarketList:
    """The markets of an exchange, and what it has of candles.

    Attributes:
        markets: trading rules by symbol.
        time_frames: the candles it offers, shortest first.
        loaded: the client that holds the list in ccxt's own form; it is closed.
    """

    markets: Markets
    time_frames: tuple[TimeFrame, ...]
    loaded: Client

    def share_with(self, client: Client) -> None:
        """Give the list to a client of the same exchange, by reference."""
        client.set_markets_from_exchange(self.loaded)


async def fetch_market_list(details: ExchangeDetails) -> MarketList:
    """Load the market list in a thread: parsing 2,000 markets takes ccxt 0.3 s without a pause.

    Raises:
        RetryableError: the exchange does not answer.
        ConfigurationError: ccxt does not know the exchange.
    """
    return await asyncio.to_thread(lambda: asyncio.run(_load(details)))


async def _load(details: ExchangeDetails) -> MarketList:
    client = make_client(details)
    connect(client)
    try:
        with reading(client):
            raw = await client.load_markets()
    finally:
        await close_client(client)
    return MarketList(
        markets=parse_public_markets(
            raw.values(),
            precision=precision_of(client.id, client.precisionMode),
            stops=lambda kind: capabilities_of(client.id).native_stops(kind, client.features),
        ),
        time_frames=tuple(frame for frame in TIME_FRAMES if frame in (client.timeframes or ())),
        loaded=client,
    )
