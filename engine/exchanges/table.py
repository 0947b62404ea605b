"""The table of exchanges: everything that is known of a particular one stands in its row, and nowhere else.

Classes that ccxt derives from one another share a row, as far as the same is known of them.

Sources: the exchanges' own API documents for client ids and errors, named beside each rule, and the request
that ccxt builds for how they are passed on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from engine.exchanges.capabilities import Capabilities, History, Precision
from engine.exchanges.key_rights import binance_key_rights, bybit_key_rights, okx_key_rights
from engine.types import MarketKind


def capabilities_of(exchange_id: str) -> Capabilities:
    """Return the row of an exchange by ccxt's id; for one without a row, nothing is taken for granted."""
    return EXCHANGES.get(exchange_id, GENERIC)


GENERIC: Final = Capabilities()
"""32 hex digits fit every exchange; whether an order arrived cannot be told, so that a person must."""

_OPEN_AND_ENDED: Final[tuple[History, ...]] = ("fetch_open_orders", "fetch_canceled_and_closed_orders")
_THREE_LISTS: Final[tuple[History, ...]] = (
    "fetch_open_orders",
    "fetch_closed_orders",
    "fetch_canceled_orders",
)
_FUTURES: Final = frozenset[MarketKind]({"future"})
_BOTH: Final = frozenset[MarketKind]({"spot", "future"})
_SPOT_OR_LINEAR: Final[Mapping[MarketKind, Sequence[str]]] = MappingProxyType(
    {"spot": ("spot",), "future": ("linear",)}
)

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
    key_rights=okx_key_rights,
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

EXCHANGES: Final[Mapping[str, Capabilities]] = MappingProxyType(
    {
        "binance": replace(
            _BINANCE,
            market_types=_SPOT_OR_LINEAR,
            key_rights=binance_key_rights,
            native_spot_stops=True,
        ),
        "binanceus": _BINANCE,
        "binanceusdm": replace(_BINANCE, key_rights=binance_key_rights),
        "bybit": replace(
            _BYBIT,
            market_types=_SPOT_OR_LINEAR,
            key_rights=bybit_key_rights,
        ),
        "bybiteu": _BYBIT,
        "okx": replace(_OKX, market_types=MappingProxyType({"spot": ("spot",), "future": ("swap",)})),
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
            native_spot_stops=True,
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
            native_spot_stops=True,
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
        # Prices have 5 significant digits and at most 8 decimals, amounts 8 decimals (Introduction).
        "bitfinex": Capabilities(
            number_bits=45,
            finds_in_history=True,
            precision=Precision(
                amount="places", price="digits", places=MappingProxyType({"spot": 8, "future": 8})
            ),
        ),
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
            native_spot_stops=True,
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
        # Prices have 5 significant digits, whole ones any number, and at most 8 decimals (perpetuals: 6) less
        # those of the size (Hyperliquid, Tick and lot size).
        "hyperliquid": Capabilities(
            precision=Precision(
                digits=5,
                whole=True,
                places=MappingProxyType({"spot": 8, "future": 6}),
                shared_places=True,
            ),
            refused="before the first order ccxt's class grants its makers a fee, which nobody planned",
        ),
    }
)
