"""The ccxt classes: which there are, how a client is made, and what each exchange can do."""

from engine.exchanges.capabilities import native_stops
from engine.exchanges.client import Client, close_client, connect, make_client, reading
from engine.exchanges.concurrency import concurrently, gathered
from engine.exchanges.exchange_ids import known_exchange_ids
from engine.exchanges.uninterrupted import uninterrupted

__all__ = [
    "Client",
    "close_client",
    "concurrently",
    "connect",
    "gathered",
    "known_exchange_ids",
    "make_client",
    "native_stops",
    "reading",
    "uninterrupted",
]
