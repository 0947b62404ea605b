"""What each exchange can do for orders that happen once: client ids, look-ups, expiring signatures.

Sources: the exchanges' own API documents for client ids and errors, named beside each rule, and the request
that ccxt builds for how they are passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal
from uuid import UUID

from engine.types import EffectKey

History = Literal[
    "fetch_orders",
    "fetch_open_orders",
    "fetch_closed_orders",
    "fetch_canceled_orders",
    "fetch_canceled_and_closed_orders",
]
Spelling = Literal["hex", "uuid", "integer"]

_BITFINEX_BITS: Final = 45

_SPELLINGS: Final[Mapping[Spelling, Callable[[EffectKey], str]]] = MappingProxyType(
    {
        "hex": str,
        "uuid": lambda key: str(UUID(key)),
        "integer": lambda key: str(int(key, 16) % 2**_BITFINEX_BITS),
    }
)

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_STOP_BOOK: Final[Mapping[str, Any]] = MappingProxyType({"trigger": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """One row of the table.

    Attributes:
        prefix: what every client order id must start with.
        length: characters that a client order id may have, the prefix included.
        spelling: how the key is written in it.
        id_parameter: what ccxt calls the client order id when an order is created.
        signatures_expire: whether a signed request is refused `LiveSettings.receive_window` seconds after its
            timestamp. Windows that cannot be chosen are shorter than `LiveSettings.fence_without_expiry`.
        finds_by_client_id: whether one order can be fetched by its client id, open or not.
        finds_in_history: whether closed orders can be listed with their client ids.
        history: the lists which then hold every order of a symbol.
        own_stop_book: where stops are kept apart from other orders: on spot, on futures.
        stop_book_params: what makes ccxt look there.
        market_buys_by_cost: whether market buys are counted in quote, so that their amount is not fixed.
        stop_price_parameter: what ccxt calls the price of a stop, where all kinds of stops have one name.
        stop_id_parameter: what ccxt calls the client order id of a stop, where it differs.
        withdrawal_id_parameter: what the exchange calls the client id by which withdrawals can be found; None
            where they carry none.
        spot_trailing_params: what a trailing stop needs on spot besides its distance.
        look_up_params: what ccxt wants to hear before it fetches one order.
        options: of ccxt's client; they spare it questions about the account.
        duplicate_texts: what the exchange says, in small letters, when a client id is used already.
    """

    prefix: str = ""
    length: int = 32
    spelling: Spelling = "hex"
    id_parameter: str = "clientOrderId"
    signatures_expire: bool = False
    finds_by_client_id: bool = False
    finds_in_history: bool = False
    history: tuple[History, ...] = ("fetch_open_orders", "fetch_closed_orders")
    own_stop_book: frozenset[Literal["spot", "future"]] = frozenset()
    stop_book_params: Mapping[str, Any] = field(default_factory=lambda: _STOP_BOOK)
    stop_price_parameter: str | None = None
    stop_id_parameter: str | None = None
    market_buys_by_cost: bool = False
    withdrawal_id_parameter: str | None = None
    spot_trailing_params: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    look_up_params: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    options: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    duplicate_texts: tuple[str, ...] = ()

    @property
    def can_look_up(self) -> bool:
        """Whether it can be told for certain that an order does not exist."""
        return self.finds_by_client_id or self.finds_in_history

    @property
    def withdrawal_ids(self) -> bool:
        """Whether a withdrawal can be found again."""
        return self.withdrawal_id_parameter is not None

    def id_argument(self, client_order_id: str) -> str | int:
        """Return a client order id as ccxt wants it: of exchanges that count, a number."""
        return int(client_order_id) if self.spelling == "integer" else client_order_id

    def client_order_id(self, key: EffectKey) -> str:
        """Return an effect's key in the form that the exchange takes, the same for ever."""
        return f"{self.prefix}{_SPELLINGS[self.spelling](key)}"[: self.length]


def capabilities_of(exchange_id: str) -> Capabilities:
    """Return the row of an exchange; for one without a row, nothing is taken for granted."""
    return CAPABILITIES.get(exchange_id, GENERIC)


GENERIC: Final = Capabilities()
"""32 hex digits fit every exchange; whether an order arrived cannot be told, so that a person must."""

_OPEN_AND_ENDED: Final[tuple[History, ...]] = ("fetch_open_orders", "fetch_canceled_and_closed_orders")
_THREE_LISTS: Final[tuple[History, ...]] = (
    "fetch_open_orders",
    "fetch_closed_orders",
    "fetch_canceled_orders",
)
_SPOT: Final = frozenset[Literal["spot", "future"]]({"spot"})
_FUTURES: Final = frozenset[Literal["spot", "future"]]({"future"})
_BOTH: Final = _SPOT | _FUTURES

# "newClientOrderId": ^[\.A-Z\:/a-z0-9_-]{1,36}$, unique among open orders; code -2010 (Spot API, errors).
# Conditional futures orders are kept apart as "algo orders" (USD-M Futures, change log of December 2025);
# codes -4116 and -20132.
_BINANCE: Final = Capabilities(
    length=36,
    signatures_expire=True,
    finds_by_client_id=True,
    finds_in_history=True,
    history=("fetch_orders",),
    own_stop_book=_FUTURES,
    withdrawal_id_parameter="withdrawOrderId",
    spot_trailing_params=MappingProxyType({"stopLossOrTakeProfit": "stopLoss"}),
    duplicate_texts=("duplicate order sent", "clientorderid is duplicated", "client algo id is duplicated"),
)

# "clOrdId": up to 32 letters and digits; 51016 "Client order ID already exists", 51065 the same of algo
# orders (OKX API v5). Timestamps are refused after 30 s.
_OKX: Final = Capabilities(
    finds_by_client_id=True,
    finds_in_history=True,
    history=_THREE_LISTS,
    own_stop_book=_BOTH,
    stop_book_params=MappingProxyType({"trigger": True, "ordType": "trigger"}),
    stop_price_parameter="triggerPrice",
    stop_id_parameter="algoClOrdId",
    duplicate_texts=('"51016"', '"51065"', "client order id already exists", "algoclordid already exists"),
)

# "orderLinkId": at most 36 letters, digits, - and _; 110072 and 170141 (Bybit API v5, error codes). One
# order can be fetched only among the 500 newest ones.
_BYBIT: Final = Capabilities(
    length=36,
    signatures_expire=True,
    finds_in_history=True,
    history=_OPEN_AND_ENDED,
    look_up_params=MappingProxyType({"acknowledged": True}),
    options=MappingProxyType({"enableUnifiedMargin": False, "enableUnifiedAccount": True}),
    duplicate_texts=(
        '"retcode":110072',
        '"retcode":170141',
        '"retcode":12141',
        "orderlinkedid is duplicate",
        "duplicate clientorderid",
    ),
)

# "text": "t-" and at most 28 bytes of digits, letters, _ - . (Gate API v4, models Order); ccxt counts the
# prefix among them. Orders that ended are found by their own id only.
_GATE: Final = Capabilities(
    prefix="t-",
    length=28,
    finds_in_history=True,
    own_stop_book=_BOTH,
    market_buys_by_cost=True,
)

CAPABILITIES: Final[Mapping[str, Capabilities]] = MappingProxyType(
    {
        "binance": _BINANCE,
        "binanceus": _BINANCE,
        "binanceusdm": _BINANCE,
        "bybit": _BYBIT,
        "bybiteu": _BYBIT,
        "okx": _OKX,
        "okxus": _OKX,
        "myokx": _OKX,
        "gate": _GATE,
        "gateeu": _GATE,
        # "client_order_id": a UUID is advised; an order under a used one returns the first one (Coinbase
        # Advanced Trade, Create Order).
        "coinbase": Capabilities(
            length=36,
            spelling="uuid",
            id_parameter="client_order_id",
            finds_in_history=True,
            history=("fetch_orders",),
            market_buys_by_cost=True,
        ),
        # "cl_ord_id": a UUID with or without dashes, or up to 18 characters (Kraken Spot REST, Add Order).
        # Nonces rise, so that a late request is refused once a newer one arrived.
        "kraken": Capabilities(finds_in_history=True),
        # "clientOid": at most 40 letters, digits, _ and - (KuCoin, Add Order); 126044 "clientOid duplicate".
        "kucoin": Capabilities(
            length=40,
            finds_by_client_id=True,
            finds_in_history=True,
            own_stop_book=_BOTH,
            duplicate_texts=('"126044"', "clientoidduplicated", "clientoid duplicate"),
        ),
        # "clientOid": at most 32 letters, digits and . # : / _ - (Bitget v2, Place Order); 40786, 43118.
        "bitget": Capabilities(
            finds_by_client_id=True,
            finds_in_history=True,
            history=_OPEN_AND_ENDED,
            own_stop_book=_BOTH,
            market_buys_by_cost=True,
            duplicate_texts=('"40786"', '"43118"', "duplicate clientoid", "clientorderid duplicate"),
        ),
        # "client-order-id": at most 64 characters, unique within 24 hours; a used one is answered with
        # "invalid.client.order.id" (HTX Spot, Place a New Order).
        "htx": Capabilities(
            length=64,
            finds_by_client_id=True,
            finds_in_history=True,
            history=_THREE_LISTS,
            own_stop_book=_BOTH,
            market_buys_by_cost=True,
            duplicate_texts=("invalid-client-order-id", "invalid.client.order.id"),
        ),
        # "newClientOrderId": at most 32 characters (MEXC Spot v3, New Order).
        "mexc": Capabilities(
            signatures_expire=True,
            finds_by_client_id=True,
            finds_in_history=True,
            history=("fetch_orders",),
            market_buys_by_cost=True,
            duplicate_texts=("duplicate order",),
        ),
        # "cid": a whole number of at most 45 bits, unique per UTC day (Bitfinex v2, Submit Order).
        "bitfinex": Capabilities(spelling="integer", finds_in_history=True),
        # "client_order_id": unique per account, found for 30 days (Bitstamp API, Order status).
        "bitstamp": Capabilities(
            finds_by_client_id=True,
            duplicate_texts=("order with this client_order_id", "client order id already used"),
        ),
        # "newClientOrderId", "clientOrderID": 1 to 40 letters and digits, made small (BingX, Place order).
        "bingx": Capabilities(
            length=40,
            finds_in_history=True,
            history=_OPEN_AND_ENDED,
        ),
        # "client_oid": at most 36 characters (Crypto.com Exchange v1, private/create-order); 204.
        "cryptocom": Capabilities(
            length=36,
            id_parameter="client_oid",
            finds_in_history=True,
            history=("fetch_open_orders", "fetch_orders"),
            duplicate_texts=("duplicate_clordid", "dup_client_oid"),
        ),
        # "clientOrderId": letters, digits, - . _; 32 characters are advised; unique among open orders
        # (WhiteBIT, guide Client Order ID). Cancelled orders are in no list.
        "whitebit": Capabilities(),
        # "identifier": any text, never usable again (Upbit, New Order).
        "upbit": Capabilities(
            length=36,
            spelling="uuid",
            finds_in_history=True,
            history=_THREE_LISTS,
            market_buys_by_cost=True,
            duplicate_texts=("identifier_already_used", "이미 사용된 identifier"),
        ),
        # "clOrdID": at most 40 characters (Phemex, Place order); 10001, 11033, 11085.
        "phemex": Capabilities(
            length=40, finds_by_client_id=True, finds_in_history=True, history=("fetch_orders",)
        ),
    }
)

REFUSED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "hyperliquid": "before the first order ccxt's class grants its makers a fee, which nobody planned",
    }
)
"""Exchanges that are not traded on, and why."""
