"""`Timing`: what the clocks say about an effect: its age, its fence, and how long this process may act."""

from __future__ import annotations

from math import isfinite
from typing import Final

from engine.live.settings import Lease, LiveSettings
from engine.live.venue import TradingApi
from engine.state import Intent
from engine.types import Seconds, Timestamp

MAX_DOUBLINGS: Final = 4

_CLOCKS_DIFFER: Final[Seconds] = 1
"""How much the exchange's clock may be behind the one that effects are planned by, as good clocks are."""


class Timing:
    """The clocks of one turn.

    Ages count in the invocation's time, fences in the exchange's clock.

    Args:
        api: the account, which knows the exchange's clock.
        settings: fences, ages and margins.
        lease: how long this process may act.
        now: the invocation's time.
        max_age: how old an effect may be when it is sent.
    """

    def __init__(
        self, api: TradingApi, *, settings: LiveSettings, lease: Lease, now: Timestamp, max_age: Seconds
    ) -> None:
        self._api = api
        self._settings = settings
        self._lease = lease
        self._max_age = max_age
        self.now = now

    def fence(self, intent: Intent) -> Seconds:
        """Return how long an effect that was sent is waited for before it may be sent again.

        It doubles with each try, to keep an exchange that gives no clear answer from being asked the same
        every few seconds.
        """
        return self.first_fence * 2.0 ** min(max(intent.tries - 1, 0), MAX_DOUBLINGS)

    @property
    def first_fence(self) -> Seconds:
        """How long after its sending an effect may still arrive."""
        expires = self._api.capabilities.signatures_expire
        settings = self._settings
        return settings.receive_window + settings.fence_margin if expires else settings.fence_without_expiry

    @property
    def pause(self) -> Seconds:
        """How long a turn that broke off waits when nobody says how long."""
        return self._settings.watch_every

    @property
    def recheck_at(self) -> Timestamp:
        """When to look an effect up again that needs a person."""
        return self.now + self._settings.recheck_every

    def is_young(self, intent: Intent) -> bool:
        """Whether an effect may be sent at its age.

        The exchange's clock counts too: a late attempt of an invocation still has the invocation's time.
        """
        return max(self.now, self._api.exchange_time()) - intent.planned_at <= self._max_age

    def expires_at(self, intent: Intent) -> Timestamp:
        """Return when an effect that awaits approval has waited for too long."""
        return intent.planned_at + self._max_age

    def has_landed(self, intent: Intent, at: Timestamp) -> bool:
        """Whether nothing of an effect could still arrive at an instant of the exchange's clock.

        What no recorded attempt sent can have been sent only by an attempt that was killed; the lease made
        that one stop signing `receive_window + zombie_margin` seconds before this one could start.
        """
        return intent.sent_at is None or at >= intent.sent_at + self.fence(intent)

    def landed_at(self, intent: Intent) -> Timestamp:
        """Return the end of the fence in the invocation's time.

        It is known in the exchange's clock. The later of both readings counts: one that is too early makes
        look-ups in vain.
        """
        now = self._api.exchange_time()
        end = (now if intent.sent_at is None else intent.sent_at) + self.fence(intent)
        return max(end, self.now + end - now)

    def is_silent(self, intent: Intent) -> bool:
        """Whether an effect is older than its look-ups may fail for."""
        since = intent.planned_at if intent.sent_at is None else intent.sent_at
        return self._api.exchange_time() - since >= self._settings.unresolved_after

    def is_first_attempt(self, intent: Intent) -> bool:
        """Whether no earlier attempt can have sent an effect that was just planned.

        The lease lets an attempt send only more than `receive_window + zombie_margin` seconds before another
        one can begin: two attempts never send within a time of that length, whatever the exchange's clock
        says about when it was planned. Without a lease, nobody knows when the attempt before was.
        """
        limited = isfinite(self._lease.remaining())
        age = self._api.exchange_time() - intent.planned_at
        return limited and -_CLOCKS_DIFFER <= age < self._settings.reserve - _CLOCKS_DIFFER

    def may_sign(self) -> bool:
        """Whether a request that is signed right now lands before another process may take over."""
        return self._lease.remaining() > self._settings.reserve
