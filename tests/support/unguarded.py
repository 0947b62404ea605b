"""Live accounts whose effect guard is weakened: what the chaos tests must notice."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, replace
from enum import Enum
from math import inf
from typing import Any

from engine.live.settings import LiveSettings
from engine.live.venue.api import Accepted, Duplicate, LiveExchange, OrderReport, Refused, TradingApi, Unclear
from engine.live.venue.opening import open_live
from engine.market.market_protocols import MarketSource
from engine.state import ExchangeAccountDetails, Order
from engine.types import Seconds, Symbol, Timestamp


class Guard(Enum):
    """What is left of the effect guard."""

    WHOLE = "whole"
    NONE = "none"
    """Nothing is looked up, and every sending is an order of its own."""
    NO_FENCE = "no-fence"
    """A look-up is believed at once, whatever may still be on its way."""
    NO_LEASE = "no-lease"
    """A process that was frozen goes on where it stood."""


class _WithoutLease(LiveSettings):
    """Settings by which nothing is ever too late to be sent."""

    @property
    def reserve(self) -> Seconds:
        return -inf

    @property
    def slowest_signature(self) -> Seconds:
        return inf


def weakened(settings: LiveSettings, guard: Guard) -> LiveSettings:
    """Return the settings that take away a part of the guard."""
    if guard is Guard.NO_FENCE:
        return replace(settings, fence_margin=-settings.receive_window)
    if guard is Guard.NO_LEASE:
        return _WithoutLease(**{field.name: getattr(settings, field.name) for field in fields(settings)})
    return settings


def opener(guard: Guard) -> Callable[[ExchangeAccountDetails, LiveSettings], LiveExchange]:
    """Return how the exchange of an account is opened."""
    return open_unguarded if guard is Guard.NONE else open_live


class UnguardedApi:
    """Finds nothing, and sends every order under a client id of its own: as if there were no guard."""

    def __init__(self, api: TradingApi) -> None:
        self._api = api

    async def find_orders(
        self, symbol: Symbol, client_order_ids: Collection[str], since: Timestamp
    ) -> Mapping[str, OrderReport]:
        return {}

    async def create_order(self, order: Order) -> Accepted | Refused | Duplicate | Unclear:
        renamed = order.model_copy(update={"client_order_id": uuid.uuid4().hex})
        answer = await self._api.create_order(renamed)
        if isinstance(answer, Accepted):
            return Accepted(replace(answer.report, client_order_id=order.client_order_id))
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)


class UnguardedExchange:
    """A live exchange with such an account."""

    def __init__(self, exchange: LiveExchange) -> None:
        self._exchange = exchange
        self.api: Any = UnguardedApi(exchange.api)

    @property
    def source(self) -> MarketSource:
        return self._exchange.source

    async def close(self) -> None:
        await self._exchange.close()


def open_unguarded(details: ExchangeAccountDetails, settings: LiveSettings) -> LiveExchange:
    """Return the exchange of an account, its orders beyond the guard's reach."""
    return UnguardedExchange(open_live(details, settings))
