"""The seams of the community room: a new session per job, and the repositories in it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from engine.community.models import LeaderSnapshot, LogEntry
from engine.state import AuthDetails


class SignalRepository(Protocol):
    """Snapshots of leaders."""

    async def publish(self, snapshot: LeaderSnapshot) -> None:
        """Make a snapshot the newest of its strategy; publishing the same one twice changes nothing.

        Raises:
            RetryableError: the community does not answer.
            ConfigurationError: it refuses the token or the snapshot.
        """
        ...

    async def latest(self, strategy: str) -> LeaderSnapshot | None:
        """Return the newest snapshot of a strategy; None when there is none.

        Raises:
            RetryableError: the community does not answer.
            ConfigurationError: it refuses the token, or answers nonsense.
        """
        ...


class LogRepository(Protocol):
    """What automations did, line by line."""

    async def append(self, entries: Sequence[LogEntry]) -> None:
        """Add entries to the log; one of an iteration that is there already is not added again.

        Raises:
            RetryableError: the community does not answer.
            ConfigurationError: it refuses the token or the entries.
        """
        ...


class Community(Protocol):
    """An authenticated session of one job."""

    @property
    def signals(self) -> SignalRepository:
        """Snapshots of leaders."""
        ...

    @property
    def logs(self) -> LogRepository:
        """What automations did."""
        ...


class CommunityAuthenticatorFactory(Protocol):
    """Opens sessions; it keeps none, so that no job ever meets the session of another one."""

    def session(self, auth: AuthDetails) -> AbstractAsyncContextManager[Community]:
        """Return a new session, authenticated for the automation whose credentials these are.

        It is closed at the end of the `async with` block, also by a failure or a cancellation. Entering it
        raises `ConfigurationError` when there is no token for the automation.
        """
        ...
