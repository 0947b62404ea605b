"""A loopback exchange: real ccxt classes trade on it, and a network's troubles come on demand."""

from tests.support.loopback.exchange import LoopbackExchange
from tests.support.loopback.faults import (
    ANY_REQUEST,
    CREATE_ORDER,
    Call,
    Delay,
    Drop,
    Late,
    Moment,
    PartialFill,
    Say,
    Trouble,
    Where,
)
from tests.support.loopback.server import serving_binance, serving_okx

__all__ = [
    "ANY_REQUEST",
    "CREATE_ORDER",
    "Call",
    "Delay",
    "Drop",
    "Late",
    "LoopbackExchange",
    "Moment",
    "PartialFill",
    "Say",
    "Trouble",
    "Where",
    "serving_binance",
    "serving_okx",
]
