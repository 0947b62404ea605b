"""A check, what it found, and how many of them are made one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from cli.errors import message_of
from engine.errors import PostponedError, RetryableError

Health = Literal["ok", "warning", "failed"]
Subject = TypeVar("Subject")

_TRY_AGAIN: Final = (
    "Try again in a minute; if it stays so, look at the network and the exchange's status page."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        health: how bad it is.
        says: what is so, in plain words.
        advice: what to do; None where nothing is to be done.
    """

    health: Health
    says: str
    advice: str | None = None


def ok(says: str) -> Finding:
    """Return a finding that asks for nothing."""
    return Finding("ok", says)


def warning(says: str, advice: str) -> Finding:
    """Return a finding that should be looked into."""
    return Finding("warning", says, advice)


def failed(says: str, advice: str) -> Finding:
    """Return a finding that keeps automations from working."""
    return Finding("failed", says, advice)


@dataclass(frozen=True, slots=True)
class Check(Generic[Subject]):
    """One thing to look at.

    Attributes:
        name: what it is about, in a word or two.
        look: returns what there is to say about the subject; whatever it raises is a failed finding.
    """

    name: str
    look: Callable[[Subject], Awaitable[Sequence[Finding]]]


async def examine(
    opening: str, subject: AbstractAsyncContextManager[Subject], checks: Sequence[Check[Subject]]
) -> list[tuple[str, Finding]]:
    """Make all checks of a subject, and return what each found, by its name.

    Args:
        opening: name of the finding when the subject cannot be reached, in which case there is no other.
        subject: gives what is looked at.
        checks: in the order of the findings.
    """
    findings: list[tuple[str, Finding]] = []
    try:
        async with subject as reached:
            for check in checks:
                findings += [(check.name, found) for found in await _look(check, reached)]
    except Exception as error:
        findings.append((opening, _problem(error)))
    return findings


async def _look(check: Check[Subject], subject: Subject) -> Sequence[Finding]:
    try:
        return await check.look(subject)
    except Exception as error:  # one finding more, and the next check
        return [_problem(error)]


def _problem(error: Exception) -> Finding:
    advice = _TRY_AGAIN if isinstance(error, RetryableError | PostponedError) else None
    return Finding("failed", message_of(error), advice)
