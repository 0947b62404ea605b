"""What is known of one exchange beyond what ccxt tells: a row of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal
from uuid import UUID

from engine.exchanges.key_rights import KeyRightsReader
from engine.types import EffectKey, MarketKind

History = Literal[
    "fetch_orders",
    "fetch_open_orders",
    "fetch_closed_orders",
    "fetch_canceled_orders",
    "fetch_canceled_and_closed_orders",
]

_NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})
_STOP_BOOK: Final[Mapping[str, Any]] = MappingProxyType({"trigger": True})
_FEATURE_SETS: Final[Mapping[MarketKind, str]] = MappingProxyType({"spot": "spot", "future": "swap"})
_STOP_FEATURES: Final = ("stopLossPrice", "triggerPrice")


Counting = Literal["step", "places", "digits"]
"""How ccxt writes a precision: as a step, as decimal places, or as significant digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """What ccxt's `precision` of a market means on one exchange, and what holds for all of its prices.

    Attributes:
        amount: how that of amounts is counted.
        price: how that of prices is counted.
        digits: significant digits that any price may have, whatever the market says.
        whole: whether whole prices may have more of them.
        places: decimal places that a price may have at most, by kind of market.
        shared_places: whether those of an amount are taken from them.
    """

    amount: Counting = "step"
    price: Counting = "step"
    digits: int | None = None
    whole: bool = False
    places: Mapping[MarketKind, int] = field(default_factory=lambda: _NOTHING)
    shared_places: bool = False


STEPS: Final = Precision()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """One row of the table; the defaults take nothing for granted.

    Attributes:
        refused: why it is not traded on; None where it is.

        market_types: what ccxt calls the markets to load where its class would ask for all kinds of them in
            several requests; empty where there is nothing to choose.
        precision: how its market list counts precision; None where ccxt's class says it for both alike.
        options: of ccxt's client with keys; they spare it questions about the account.
        key_rights: reads what an API key may do; None where the exchange does not tell.

        prefix: what every client order id must start with.
        length: characters that a client order id may have, the prefix included.
        spelling: how the key is written in it: 32 digits, or a UUID with dashes.
        number_bits: how long a client order id may be that is a whole number; None where it is text.
        id_parameter: what ccxt calls the client order id when an order is created.
        stop_id_parameter: what the exchange calls that of a stop, in requests and answers, where it differs.
        withdrawal_id_parameter: what it calls the client id by which withdrawals can be found; None where
            they carry none.
        duplicate_texts: what it says, in small letters, when a client id is used already.

        signatures_expire: whether a signed request is refused `LiveSettings.receive_window` seconds after its
            timestamp. Windows that cannot be chosen are shorter than `LiveSettings.fence_without_expiry`.
        finds_by_client_id: whether one order can be fetched by its client id, open or not.
        finds_in_history: whether closed orders can be listed with their client ids.
        history: the lists which then hold every order of a symbol.
        look_up_params: what ccxt wants to hear before it fetches one order.

        native_spot_stops: whether it watches the price of spot stops itself, where ccxt does not tell.
        own_stop_book: where stops are kept apart from other orders.
        stop_book_params: what makes ccxt look there.
        stop_price_parameter: what ccxt calls the price of a stop, where all kinds of stops have one name.
        spot_trailing_params: what a trailing stop needs on spot besides its distance.
        market_buys_by_cost: whether market buys are counted in quote, so that their amount is not fixed.
    """

    refused: str | None = None

    market_types: Mapping[MarketKind, Sequence[str]] = field(default_factory=lambda: _NOTHING)
    precision: Precision | None = None
    options: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    key_rights: KeyRightsReader | None = None

    prefix: str = ""
    length: int = 32
    spelling: Literal["hex", "uuid"] = "hex"
    number_bits: int | None = None
    id_parameter: str = "clientOrderId"
    stop_id_parameter: str | None = None
    withdrawal_id_parameter: str | None = None
    duplicate_texts: tuple[str, ...] = ()

    signatures_expire: bool = False
    finds_by_client_id: bool = False
    finds_in_history: bool = False
    history: tuple[History, ...] = ("fetch_open_orders", "fetch_closed_orders")
    look_up_params: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    native_spot_stops: bool = False
    own_stop_book: frozenset[MarketKind] = frozenset()
    stop_book_params: Mapping[str, Any] = field(default_factory=lambda: _STOP_BOOK)
    stop_price_parameter: str | None = None
    spot_trailing_params: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    market_buys_by_cost: bool = False

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
        return client_order_id if self.number_bits is None else int(client_order_id)

    def client_order_id(self, key: EffectKey) -> str:
        """Return an effect's key in the form that the exchange takes, the same for ever."""
        if self.number_bits is not None:
            return str(int(key, 16) % 2**self.number_bits)
        spelled = str(UUID(key)) if self.spelling == "uuid" else key
        return f"{self.prefix}{spelled}"[: self.length]

    def native_stops(self, kind: MarketKind, features: Mapping[str, Any] | None = None) -> bool:
        """Whether stop orders are the exchange's own, so that they work while nothing of ours runs.

        Args:
            kind: of the market; futures exchanges all have stops.
            features: ccxt's `features` of the exchange, which are asked first.
        """
        offered = (features or {}).get(_FEATURE_SETS[kind]) or {}
        if kind == "future" and not offered.get("createOrder"):
            offered = offered.get("linear") or {}
        creation = offered.get("createOrder")
        if creation:
            return any(creation.get(name) for name in _STOP_FEATURES)
        return kind == "future" or self.native_spot_stops
