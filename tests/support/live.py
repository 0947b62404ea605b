"""Live exchanges for tests: the real client with keys, on a loopback exchange, without waiting."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from engine.live.settings import LiveSettings
from engine.live.venue.api import LiveExchange
from engine.live.venue.opening import open_live
from engine.live.venue.wire import Pace
from engine.market.public_cache import PublicCaches
from engine.state import AuthDetails, ExchangeAccountDetails, ExchangeDetails
from tests.support.loopback.accounts import Account


@dataclass
class TestPace:
    """Time as a test has it: nobody waits, `slept` tells for how long somebody would have.

    Attributes:
        ahead: seconds by which this machine's clock is ahead.
    """

    __test__ = False
    ahead: float = 0.0
    slept: list[float] = field(default_factory=list)

    @property
    def pace(self) -> Pace:
        return Pace(wall=lambda: time.time() + self.ahead, sleep=self._sleep, jitter=lambda: 0.5)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def live_details(
    url: str, account: Account, exchange_id: str = "binance", kind: Literal["spot", "future"] = "spot"
) -> ExchangeAccountDetails:
    """The details of an account on a loopback exchange, keys inline."""
    return ExchangeAccountDetails(
        exchange_details=ExchangeDetails(internal_name=exchange_id, exchange_type=kind, url=url),
        auth_details=AuthDetails(
            api_key=account.key, api_secret=account.secret, api_password=account.passphrase or None
        ),
    )


@asynccontextmanager
async def live_exchange(
    details: ExchangeAccountDetails, pace: Pace, caches: PublicCaches | None = None
) -> AsyncIterator[LiveExchange]:
    """An open exchange with caches of its own."""
    exchange = open_live(details, LiveSettings(), caches=caches or PublicCaches(), pace=pace)
    try:
        yield exchange
    finally:
        await exchange.close()
