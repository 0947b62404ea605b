"""No community: nothing is published, nobody can be followed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from engine.community.models import LeaderSnapshot, LogEntry
from engine.community.protocols import Community
from engine.state import AuthDetails


@dataclass(frozen=True, slots=True)
class NoCommunity:
    """What an automation is part of when nothing else is configured; see `CommunityAuthenticatorFactory`."""

    @asynccontextmanager
    async def session(self, auth: AuthDetails) -> AsyncIterator[Community]:  # noqa: ARG002  (no token needed)
        """Return a session that does nothing."""
        yield _Nobody()


@dataclass(frozen=True, slots=True)
class _NoSignals:
    async def publish(self, snapshot: LeaderSnapshot) -> None:
        pass

    async def latest(self, strategy: str) -> LeaderSnapshot | None:  # noqa: ARG002  (there is none)
        return None


@dataclass(frozen=True, slots=True)
class _NoLogs:
    async def append(self, entries: Sequence[LogEntry]) -> None:
        pass


@dataclass(frozen=True, slots=True)
class _Nobody:
    signals: _NoSignals = _NoSignals()
    logs: _NoLogs = _NoLogs()
