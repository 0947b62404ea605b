"""`GuardTurn`: what effects of one turn share, and what must not be forgotten once something was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from engine.errors import ConfigurationError, OctoflowError, PostponedError, RetryableError
from engine.live.guard.result import Mode
from engine.live.guard.timing import Timing
from engine.live.settings import PostponeReason
from engine.live.venue import TradingApi, Unclear
from engine.state import Intent
from engine.types import Seconds, Timestamp

T = TypeVar("T")

LOOK_BACK: Final[Seconds] = 3_600
"""How long before its planning an effect is looked for: more than any two clocks differ."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An effect that is not over; the intent as it is now.

    Attributes:
        next_at: when to come again for it, in the invocation's time; None when time alone changes nothing.
    """

    intent: Intent
    next_at: Timestamp | None = None


@dataclass(frozen=True, slots=True)
class Halt:
    """Why nothing more is requested in a turn, and for how long."""

    why: str | None
    retry_after: Seconds | None = None
    postpone: PostponeReason | None = None


_TOLD_TO_STOP: Final = Halt("this attempt was told to stop, the next one goes on", retry_after=0)
_OUT_OF_TIME: Final = Halt("the time of this attempt is over, the next one goes on", retry_after=0)


class GuardTurn:
    """One turn of the guard.

    Attributes:
        api: the account.
        mode: what may be done.
        timing: what the clocks say.
        acted: whether any effect was sent.
        gave_up: whether a look-up failed for so long that an effect was handed to a person.
        halt: set once nothing more may be requested.
        failure: the failed look-up that halted the turn; raised when the turn changed nothing.
        notes: what a person should know.
    """

    def __init__(self, api: TradingApi, mode: Mode, timing: Timing) -> None:
        self.api = api
        self.mode = mode
        self.timing = timing
        self.acted = False
        self.gave_up = False
        self.halt: Halt | None = None
        self.failure: Exception | None = None
        self.notes: list[str] = []
        self._latest: dict[str, Intent] = {}

    # Sending

    def may_send(self) -> bool:
        """Whether another effect may be signed right now; the turn ends when the time for that is over."""
        if self.halt is None and not self.timing.may_sign():
            self.halt = _OUT_OF_TIME
        return self.halt is None

    async def send(self, intent: Intent, request: Coroutine[Any, Any, T]) -> T | Unclear:
        """Send an effect and return its answer, whatever happens meanwhile.

        A cancellation waits until the answer is there and then ends the turn: the request may have arrived,
        and only what is returned to the state is known afterwards. It is not raised again; the caller's task
        still counts it (`asyncio.Task.cancelling`).
        """
        self.acted = True
        self._mark_tried(intent)
        task = asyncio.ensure_future(request)
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:
                self.halt = _TOLD_TO_STOP
        # However long it took, it was not signed later than now: the fence counts from here.
        self._mark_tried(intent)
        if task.cancelled():
            return Unclear("the request was cancelled")
        failure = task.exception()
        if failure is not None:
            return Unclear(f"the request failed ({type(failure).__name__})")
        return task.result()

    def unclear(self, intent: Intent, answer: Unclear) -> Unsettled:
        """Return an effect that may have happened, and end the turn: no clear answer, no further request."""
        wait = self.timing.first_fence if answer.retry_after is None else answer.retry_after
        if self.halt is None and answer.postpone is not None:
            self.halt = Halt(answer.message, postpone=answer.postpone)
        elif self.halt is None:
            self.halt = Halt(answer.message, retry_after=wait)
        return self.until_landed(intent)

    def _mark_tried(self, intent: Intent) -> None:
        now = self.api.exchange_time()
        self._remember(intent, {"status": "tried", "sent_at": now, "tries": intent.tries + 1})

    # What is not over

    def latest(self, intent: Intent) -> Intent:
        """Return an intent as it is now, whatever was done with it in this turn."""
        return self._latest.get(intent.key, intent)

    def held(self, intent: Intent) -> Unsettled:
        """Return an effect that waits for the end of what halted the turn, if anything did."""
        halt = self.halt
        pause = None if halt is None else halt.retry_after
        return Unsettled(self.latest(intent), None if pause is None else self.timing.now + pause)

    def until_landed(self, intent: Intent) -> Unsettled:
        """Return an effect that waits for the end of its fence."""
        current = self.latest(intent)
        return Unsettled(current, self.timing.landed_at(current))

    def later(self, intent: Intent) -> Unsettled:
        """Return an effect that is looked up again a little later."""
        return Unsettled(self.latest(intent), self.timing.now + self.timing.pause)

    def left(self, intent: Intent) -> Unsettled:
        """Return an effect that waits for a person; where the automation stops, nobody comes back for it."""
        stops = self.mode is Mode.WIND_DOWN
        return Unsettled(self.latest(intent), None if stops else self.timing.recheck_at)

    def contest(self, intent: Intent) -> None:
        """Keep that something is or was under an effect's key: its absence proves nothing from now on."""
        self._remember(self.latest(intent), {"status": "unresolved", "sent_at": None})

    def contested(self, intent: Intent, why: str) -> Unsettled:
        """Return an effect that only a person can settle, unless the exchange shows what is under its key."""
        self._tell(intent, why)
        self.contest(intent)
        return self.left(intent)

    def given_up(self, intent: Intent, why: str) -> Unsettled:
        """Return an effect that a person may settle, unless a later look-up does."""
        self._tell(intent, why)
        current = self.latest(intent)
        sent_at = self.api.exchange_time() if current.sent_at is None else current.sent_at
        self._remember(current, {"status": "unresolved", "sent_at": sent_at})
        return self.left(intent)

    # What went wrong

    def unanswered(self, intent: Intent, failure: OctoflowError) -> Unsettled:
        """Return an effect whose look-up failed: the turn ends, but not again for what a person knows of."""
        current = self.latest(intent)
        if current.status == intent.status == "unresolved":
            return self.left(intent)
        if isinstance(failure, ConfigurationError):  # of this symbol, which the others are not to wait for
            return self.given_up(intent, failure.message)
        if self.halt is None:
            self.failure = failure
            self.halt = self._halt_of(failure)
        if current.status == "unresolved":
            self._tell(intent, failure.message)
            return self.until_landed(intent)
        if self.timing.is_silent(current):
            self.gave_up = True
            return self.given_up(intent, failure.message)
        return self.held(intent)

    def interrupted(self, intent: Intent, failure: BaseException) -> Unsettled:
        """Return an effect at which the turn broke off after something was sent."""
        if isinstance(failure, asyncio.CancelledError):
            self.halt = _TOLD_TO_STOP
        elif self.halt is None:
            self.halt = self._halt_of(failure)
        return self.held(intent)

    def _halt_of(self, failure: BaseException) -> Halt:
        match failure:
            case PostponedError():
                return Halt(failure.message, postpone=cast(PostponeReason, failure.reason))
            case RetryableError(retry_after=float() | int() as wait):
                return Halt(failure.message, retry_after=wait)
            case OctoflowError():
                return Halt(failure.message, retry_after=self.timing.pause)
            case _:
                why = f"an unforeseen error ({type(failure).__name__})"
                return Halt(why, retry_after=self.timing.pause)

    # Inside

    def _remember(self, intent: Intent, changes: dict[str, Any]) -> None:
        self._latest[intent.key] = intent.model_copy(update=changes)

    def _tell(self, intent: Intent, why: str) -> None:
        if intent.status != "unresolved":  # else it was told before
            self.notes.append(
                f"{intent.kind.replace('_', ' ')} of `{intent.action_id}`, leg {intent.leg}, needs a person:"
                f" {why}; look at the exchange, then `octoflow resolve` the key {intent.key}"
                " with --placed or --absent"
            )
