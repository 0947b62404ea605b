"""The ccxt classes: which there are, how a client is made, and one table of what each exchange is like."""

from engine.exchanges.capabilities import STEPS, Capabilities, Counting, Precision
from engine.exchanges.client import close_client, connect, make_client, reading
from engine.exchanges.concurrency import concurrently, gathered
from engine.exchanges.exchange_ids import known_exchange_ids
from engine.exchanges.failures import (
    RATE_LIMITED,
    RequestFailure,
    failure_of,
    is_a,
    is_rate_limit,
    is_refusal,
    postponement,
    reaction_to,
)
from engine.exchanges.imports import Client
from engine.exchanges.key_rights import KeyRights
from engine.exchanges.precision import precision_of
from engine.exchanges.table import capabilities_of
from engine.exchanges.uninterrupted import uninterrupted

__all__ = ["Capabilities", "close_client", "connect", "make_client", "reading", "concurrently", "gathered"]
__all__ += [
    "RequestFailure",
    "failure_of",
    "is_a",
    "is_rate_limit",
    "is_refusal",
    "postponement",
    "reaction_to",
    "RATE_LIMITED",
]
__all__ += ["STEPS", "Counting", "Precision", "precision_of"]
__all__ += ["known_exchange_ids", "Client", "KeyRights", "capabilities_of", "uninterrupted"]
