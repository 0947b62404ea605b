"""What came instead of an exchange's answer, and the reaction it asks for: one path, with keys and without.

=====================================================  ==================================================
what ccxt raises                                       the reaction
=====================================================  ==================================================
`AuthenticationError`, `AccountSuspended`              `PostponedError` (authentication)
`OnMaintenance`                                        `PostponedError` (maintenance)
`RateLimitExceeded`, `DDoSProtection`                  `RetryableError` (rate_limited), after `Retry-After`
`NotSupported`, `RestrictedLocation`,                  `ConfigurationError` (exchange_refuses)
`ArgumentsRequired`, `BadRequest`
`InvalidNonce`                                         `RetryableError` (clock_is_off)
everything else, errors that are not ccxt's included   `RetryableError` (exchange_unavailable)
=====================================================  ==================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from engine.errors import ConfigurationError, OctoflowError, PostponedError, RetryableError
from engine.exchanges.imports import Client
from engine.masking import mask
from engine.types import Seconds, Timestamp

LONGEST_MESSAGE: Final = 400
"""Answers of proxies are whole pages; the beginning tells what they are."""

LastingReason = Literal["authentication", "maintenance"]

POSTPONING: Final[tuple[tuple[str, LastingReason], ...]] = (
    ("AuthenticationError", "authentication"),
    ("OnMaintenance", "maintenance"),
)
RATE_LIMITED: Final = "rate_limited"
RATE_LIMITS: Final = ("RateLimitExceeded", "DDoSProtection")
REFUSALS: Final = ("NotSupported", "RestrictedLocation", "ArgumentsRequired", "BadRequest")
"""What repeating a read does not change."""

_BANNED_UNTIL: Final = re.compile(r"until (\d{13})\b")
"""The end of a ban in milliseconds, which only Binance is known to tell (Spot API, limits)."""


@dataclass(frozen=True, slots=True)
class RequestFailure:
    """What came instead of an answer.

    Attributes:
        error: as ccxt raised it; it may hold secrets.
        message: the same for people, without secrets.
        retry_after: seconds that the exchange asks to wait.
    """

    error: Exception
    message: str
    retry_after: Seconds | None = None


def failure_of(
    error: Exception,
    client: Client,
    *,
    now: Timestamp,
    theirs: Timestamp | None = None,
    told: str | None = None,
    hide: Callable[[str], str] = str,
) -> RequestFailure:
    """Return what an error behind a request is.

    Args:
        error: as it was raised.
        client: that sent the request; it remembers the answer's headers.
        now: this machine's clock, UNIX seconds.
        theirs: the exchange's, where that is known.
        told: what to say of the error, if not its own words.
        hide: takes the account's secrets out of a text.
    """
    if told is None:
        ours = isinstance(error, OctoflowError)
        told = str(error) if ours else f"{client.id}: {type(error).__name__}: {error}"
    message = mask(hide(told))
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[:LONGEST_MESSAGE]}…"
    return RequestFailure(error, message, _retry_after(error, client, now, now if theirs is None else theirs))


def reaction_to(failure: RequestFailure, clock: str = "") -> OctoflowError:
    """Return what a read that came to nothing is raised as.

    Args:
        failure: what came instead of an answer.
        clock: what a person should do about a clock that is off.
    """
    reason = postponement(failure.error)
    if reason is not None:
        return PostponedError(failure.message, reason=reason)
    if is_rate_limit(failure.error):
        return RetryableError(failure.message, retry_after=failure.retry_after, code=RATE_LIMITED)
    if is_refusal(failure.error):
        return ConfigurationError(failure.message, code="exchange_refuses")
    if is_a(failure.error, "InvalidNonce"):
        return RetryableError("; ".join(filter(None, (failure.message, clock))), code="clock_is_off")
    code = failure.error.code if isinstance(failure.error, RetryableError) else "exchange_unavailable"
    return RetryableError(failure.message, retry_after=failure.retry_after, code=code)


def postponement(error: BaseException) -> LastingReason | None:
    """Return why an error cannot pass within minutes; None when it can."""
    return next((reason for name, reason in POSTPONING if is_a(error, name)), None)


def is_rate_limit(error: BaseException) -> bool:
    """Whether the exchange asks for fewer requests."""
    if isinstance(error, RetryableError):
        return error.code == RATE_LIMITED
    return any(is_a(error, name) for name in RATE_LIMITS)


def is_refusal(error: BaseException) -> bool:
    """Whether the exchange says that this cannot be had at all."""
    return any(is_a(error, name) for name in REFUSALS)


def is_a(error: BaseException, name: str) -> bool:
    """Whether an error is of one of ccxt's classes; by name, so that nothing is imported for the question."""
    return any(
        known.__name__ == name and known.__module__.startswith("ccxt.") for known in type(error).__mro__
    )


def _retry_after(error: Exception, client: Client, now: Timestamp, theirs: Timestamp) -> Seconds | None:
    """Return how long the exchange asks to wait: by a header, else by the end of a ban."""
    if isinstance(error, RetryableError):
        return error.retry_after
    if not is_rate_limit(error):
        return None
    headers = client.last_response_headers or {}
    header = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    if header is not None and (seconds := _seconds(str(header), now)) is not None:
        return seconds
    banned = _BANNED_UNTIL.search(str(error))
    return max(0.0, int(banned[1]) / 1_000 - theirs) if banned else None


def _seconds(header: str, now: Timestamp) -> Seconds | None:
    """Read `Retry-After`: seconds, or a date (RFC 9110, 10.2.3)."""
    with suppress(ValueError):
        return max(0.0, float(header))
    with suppress(ValueError):
        return max(0.0, parsedate_to_datetime(header).replace(tzinfo=UTC).timestamp() - now)
    return None
