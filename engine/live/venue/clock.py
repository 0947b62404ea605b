"""The exchange's clock, as far as this machine knows it: the one by which signed requests expire."""

from __future__ import annotations

from collections.abc import Callable

from engine.exchanges import Client
from engine.market import CacheScope, PublicCaches
from engine.types import Seconds, Timestamp

_OPTION = "timeDifference"
"""Milliseconds by which ccxt corrects the timestamps that it signs, where the exchange's class has it."""


class ExchangeClock:
    """The clock of one exchange; the measured difference is shared by the jobs of the process.

    Args:
        client: asks the exchange for its time, and signs by it.
        scope: the exchange.
        caches: shared data.
        wall: this machine's clock, UNIX seconds.
    """

    def __init__(
        self, client: Client, scope: CacheScope, caches: PublicCaches, wall: Callable[[], Timestamp]
    ) -> None:
        self._client = client
        self._scope = scope
        self._caches = caches
        self._wall = wall
        self._difference = caches.known_clock_difference(scope)

    def now(self) -> Timestamp:
        """Return the exchange's time; this machine's as long as nobody asked the exchange."""
        return self._wall() - self._difference

    async def prepare(self) -> None:
        """Sign by the exchange's clock; its difference is measured when nobody did within the hour."""
        self._correct(await self._caches.clock_difference(self._scope, self._measured))

    async def measure(self) -> Seconds:
        """Return the difference, measured anew."""
        difference = await self._caches.clock_difference(self._scope, self._measured, anew=True)
        self._correct(difference)
        return difference

    def described(self) -> str:
        """Return in plain words what a person should do about a clock that is off."""
        milliseconds = round(self._difference * 1_000)
        side = "ahead of" if milliseconds >= 0 else "behind"
        return (
            f"this machine's clock is {abs(milliseconds)} ms {side} the exchange's, which refuses signed "
            "requests for it: switch time synchronisation on (NTP)"
        )

    async def _measured(self) -> Seconds:
        """Ask for the time; the way back counts as difference, so that no timestamp lies in the future."""
        if not self._client.has.get("fetchTime"):
            return 0.0
        theirs = await self._client.fetch_time()
        return self._wall() - int(theirs) / 1_000

    def _correct(self, difference: Seconds) -> None:
        self._difference = difference
        if _OPTION in self._client.options:
            self._client.options[_OPTION] = round(difference * 1_000)
