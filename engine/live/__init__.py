"""An account with credentials: the exchange's API, effects that happen once, and books that agree."""

from engine.live.books import LiveRepositories
from engine.live.context import LiveContext
from engine.live.guard import NOTHING_RESOLVED, EffectGuard, GuardResult, Mode, SettledEffect, decide
from engine.live.settings import UNLIMITED, Delays, Lease, LiveSettings, PostponeReason
from engine.live.venue import LiveExchange, TradingApi, check_rights, open_live

__all__ = [
    "Delays",
    "EffectGuard",
    "Lease",
    "LiveContext",
    "LiveExchange",
    "LiveRepositories",
    "LiveSettings",
    "Mode",
    "NOTHING_RESOLVED",
    "PostponeReason",
    "SettledEffect",
    "GuardResult",
    "TradingApi",
    "UNLIMITED",
    "check_rights",
    "decide",
    "open_live",
]
