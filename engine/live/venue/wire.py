"""Requests of a live account: reads are repeated, effects are sent once and never given up half-way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import localcontext
from typing import Final, TypeVar

from engine.errors import ConfigurationError, PostponedError
from engine.exchanges import (
    Client,
    RequestFailure,
    connect,
    failure_of,
    is_a,
    is_rate_limit,
    is_refusal,
    postponement,
    reaction_to,
    uninterrupted,
)
from engine.live.venue.client import TooLateToSign, signing_before
from engine.live.venue.clock import ExchangeClock
from engine.market import MarketList
from engine.masking import Secrets
from engine.types import Seconds, Timestamp

T = TypeVar("T")

READ_DELAYS: Final[tuple[Seconds, ...]] = (0.2, 1)
"""Before the second and the third attempt of a read, with jitter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The passing of time, as tests replace it.

    Attributes:
        wall: this machine's clock, UNIX seconds.
        sleep: waits for some seconds.
        jitter: a random share, from 0 to 1.
    """

    wall: Callable[[], Timestamp]
    sleep: Callable[[Seconds], Awaitable[None]]
    jitter: Callable[[], float]


class Wire:
    """One client of one account, prepared before its first request.

    Args:
        client: with keys.
        clock: of the exchange.
        market_list: returns the process's market list, which the client shares.
        secrets: what no text may show.
        pace: the passing of time.
        slowest_signature: how long after an effect was begun its request may still be signed.
    """

    def __init__(
        self,
        client: Client,
        *,
        clock: ExchangeClock,
        market_list: Callable[[], Awaitable[MarketList]],
        secrets: Secrets,
        pace: Pace,
        slowest_signature: Seconds,
    ) -> None:
        self.client = client
        self.clock = clock
        self._market_list = market_list
        self._shared: MarketList | None = None
        self._secrets = secrets
        self._pace = pace
        self._slowest_signature = slowest_signature

    async def read(self, request: Callable[[Client], Awaitable[T]]) -> T:
        """Request something that changes nothing; up to three times.

        Raises:
            RetryableError: no answer; `rate_limited` with the seconds to wait.
            PostponedError: refused credentials, maintenance.
            ConfigurationError: this cannot be had at all.
        """
        delays = iter(READ_DELAYS)
        measured = False
        while True:
            answer = await self._attempt(request)
            if not isinstance(answer, RequestFailure):
                return answer
            if is_a(answer.error, "InvalidNonce") and not measured:
                measured = True
                await self._measure_clock()
                continue
            delay = next(delays, None)
            if delay is None or self._is_final(answer):
                raise reaction_to(answer, self.clock.described())
            await self._pace.sleep(delay * (0.5 + self._pace.jitter()))

    async def send(self, request: Callable[[Client], Awaitable[T]]) -> T | RequestFailure:
        """Send an effect, once. Whoever is cancelled meanwhile waits for its answer first.

        A request that is not signed in time is not sent any more; see `LiveSettings.slowest_signature`.
        """

        async def sending() -> T | RequestFailure:
            try:
                with signing_before(self._pace.wall() + self._slowest_signature):
                    answer = await self._attempt(request)
            except Exception as error:
                return self._failure(error)
            if isinstance(answer, RequestFailure) and is_a(answer.error, "InvalidNonce"):
                await self._measure_clock()
                return RequestFailure(answer.error, f"{answer.message}; {self.clock.described()}")
            return answer

        return await uninterrupted(sending())

    async def _attempt(self, request: Callable[[Client], Awaitable[T]]) -> T | RequestFailure:
        try:
            with localcontext():  # ccxt changes how the current one rounds, and leaves it so
                await self._prepare()
                return await request(self.client)
        except (ConfigurationError, PostponedError):
            raise
        except Exception as error:
            # What an exchange's class does not expect in an answer can raise anything.
            return self._failure(error)

    async def _prepare(self) -> None:
        """Share the process's connection settings, markets and clock difference."""
        connect(self.client)
        market_list = await self._market_list()
        if market_list is not self._shared:
            market_list.share_with(self.client)
            self._shared = market_list
        await self.clock.prepare()

    async def _measure_clock(self) -> None:
        # An exchange that does not even tell its time is silent; the next request will say so.
        with suppress(Exception):
            await self.clock.measure()

    def _failure(self, error: Exception) -> RequestFailure:
        return failure_of(
            error,
            self.client,
            now=self._pace.wall(),
            theirs=self.clock.now(),
            told=str(error) if isinstance(error, TooLateToSign) else None,
            hide=self._secrets.mask,
        )

    def _is_final(self, failure: RequestFailure) -> bool:
        error = failure.error
        return is_rate_limit(error) or postponement(error) is not None or is_refusal(error)
