"""The end of an automation: who asked for it, and the rounds that settle what is still under way."""

from __future__ import annotations

from typing import Final

from workflows.failures import Failure, retry_delay
from workflows.messages import InvocationResult, WorkflowSettings
from workflows.pending import PendingStop

BETWEEN_ROUNDS: Final = 1.0
"""Least seconds between two rounds, however soon the next one is due."""


class Stopping:
    """The stop updates that wait, and how far the winding down is. Times are workflow time, UNIX seconds.

    Attributes:
        again_at: when the next round is due.
    """

    def __init__(self, settings: WorkflowSettings) -> None:
        self.again_at = 0.0
        self._settings = settings
        self._asked: list[PendingStop] = []
        self._heard = 0
        self._since: float | None = None
        self._failures = 0

    @property
    def asked(self) -> bool:
        """Whether the automation is to end."""
        return bool(self._asked)

    @property
    def cancels(self) -> bool:
        """Whether its open orders are to be cancelled before."""
        return any(stop.cancel_open_orders for stop in self._asked)

    @property
    def asks_for_more(self) -> bool:
        """Whether somebody asked for more since the last round began than that one did."""
        heard = self._asked[: self._heard]
        return self.cancels and not any(stop.cancel_open_orders for stop in heard)

    def ask(self, stop: PendingStop) -> None:
        """End the automation, at once if nothing is under way."""
        self._asked.append(stop)
        self.again_at = 0.0

    def begin_round(self) -> None:
        """A round begins, and hears everybody who has asked by now."""
        self._heard = len(self._asked)

    def finish(self) -> None:
        """The automation has ended."""
        for stop in self._asked:
            stop.finish()
        self._clear(len(self._asked))

    def refuse(self, reason: str, *, unheard_too: bool) -> None:
        """The automation goes on, since it cannot be stopped the way it was asked to.

        Args:
            reason: why.
            unheard_too: whether this answers those as well who asked since the last round began.
        """
        refused = len(self._asked) if unheard_too else self._heard
        for stop in self._asked[:refused]:
            stop.fail(reason)
        self._clear(refused)

    def _clear(self, answered: int) -> None:
        del self._asked[:answered]
        self._heard = 0
        self._since, self._failures, self.again_at = None, 0, 0.0

    def left_by(self, result: InvocationResult) -> str | None:
        """Return in words what a round has not settled; None when nothing is left to wait for."""
        counts = {"effects": result.pending_effects, "open orders": result.open_orders if self.cancels else 0}
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or None

    def goes_on_after(self, outcome: InvocationResult | Failure, now: float) -> bool:
        """Tell whether another round follows one that left something, and set when.

        Args:
            outcome: what the round came to.
            now: workflow time.
        """
        self._since = now if self._since is None else self._since
        end = self._since + self._settings.wind_down_timeout
        next_at = self._next_round(outcome, now)
        if next_at is None or now >= end:
            return False
        unheard = len(self._asked) > self._heard
        self.again_at = 0.0 if unheard else min(max(next_at, now + BETWEEN_ROUNDS), end)
        return True

    def _next_round(self, outcome: InvocationResult | Failure, now: float) -> float | None:
        if isinstance(outcome, InvocationResult):
            self._failures = 0
            return outcome.wake_at
        if outcome.permanent:
            return None
        self._failures += 1
        return now + retry_delay(outcome, self._failures, self._settings)
