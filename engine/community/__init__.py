"""Signals and logs between automations, through one authenticated session per job."""

from engine.community.http import HttpCommunity
from engine.community.models import LeaderSnapshot, LogEntry, SignalAsset, SignalOrder
from engine.community.none import NoCommunity
from engine.community.protocols import (
    Community,
    CommunityAuthenticatorFactory,
    LogRepository,
    SignalRepository,
)
from engine.community.publishing import publish_snapshot

__all__ = ["HttpCommunity", "LeaderSnapshot", "LogEntry", "SignalAsset", "SignalOrder", "NoCommunity"]
__all__ += ["Community", "CommunityAuthenticatorFactory", "LogRepository", "SignalRepository"]
__all__ += ["publish_snapshot"]
