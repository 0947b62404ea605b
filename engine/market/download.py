"""Recording a market: candles and trading rules from an exchange's public API into a folder."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from engine.errors import RetryableError
from engine.exchanges import Client, close_client, make_client, reading
from engine.market.candle_files import write_candles
from engine.market.candle_pages import FetchPage, newest_candles
from engine.market.candles import Candles
from engine.market.market_lists import write_markets
from engine.market.public_answers import MILLISECONDS
from engine.market.public_markets import fetch_market_list
from engine.market.recordings import candle_path
from engine.state import ExchangeDetails
from engine.types import Seconds, Symbol, TimeFrame, Timestamp

HTTPS_PORT: Final = 443


async def fetch_recording(
    exchange_id: str,
    symbols: Sequence[Symbol],
    time_frame: TimeFrame,
    count: int,
    folder: Path,
    *,
    timeout: Seconds = 2.0,  # noqa: ASYNC109  (bounds the search for a network, not the call)
    url: str | None = None,
) -> None:
    """Record the newest finished candles of some symbols, with their trading rules.

    Args:
        exchange_id: ccxt id.
        symbols: what to record.
        time_frame: length of the candles.
        count: candles per symbol, as far as the exchange gives them.
        folder: recorded market; made if it does not exist.
        timeout: seconds to find out that the exchange cannot be reached.
        url: address of the exchange's API, if not its usual one.

    Raises:
        RetryableError: the exchange cannot be reached, or does not answer.
        ConfigurationError: ccxt does not know the exchange, or it lacks one of the symbols.
    """
    details = ExchangeDetails(internal_name=exchange_id, url=url)
    client = make_client(details)
    try:
        await asyncio.to_thread(_require_reachable, _any_address(client.urls["api"]), timeout)
        market_list = await fetch_market_list(details)
        market_list.share_with(client)
        for symbol in symbols:
            candles = await newest_candles(_pages(client, symbol, time_frame), time_frame, count + 1)
            path = candle_path(folder, exchange_id, symbol, time_frame)
            write_candles(path, Candles(time_frame, candles.table[:, :-1]))  # the last one still runs
        write_markets(folder, exchange_id, [market_list.markets[symbol] for symbol in symbols])
    finally:
        await close_client(client)


def _pages(client: Client, symbol: Symbol, time_frame: TimeFrame) -> FetchPage:
    async def page(since: Timestamp | None, limit: int) -> Sequence[Sequence[Any]]:
        milliseconds = None if since is None else int(since * MILLISECONDS)
        with reading(client):
            rows: Sequence[Sequence[Any]] = await client.fetch_ohlcv(
                symbol, time_frame, since=milliseconds, limit=limit
            )
        return rows

    return page


def _any_address(urls: Any) -> str:
    """Return one of ccxt's API addresses, the public one if there is one."""
    while not isinstance(urls, str):
        urls = urls.get("public") or next(iter(urls.values()))
    return urls


def _require_reachable(address: str, timeout: Seconds) -> None:
    """Connect once, in a thread that nobody waits for: resolving a name can block far beyond any timeout."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or HTTPS_PORT
    connected = threading.Event()

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout).close()
        except OSError:
            return
        connected.set()

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(timeout)
    if not connected.is_set():
        raise RetryableError(f"{host} cannot be reached", code="exchange_unavailable")
