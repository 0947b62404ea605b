"""Every effect happens once, whatever is killed, lost or repeated."""

from engine.live.guard.adoption import total_fee
from engine.live.guard.decisions import decide
from engine.live.guard.guard import NOTHING_RESOLVED, EffectGuard
from engine.live.guard.result import GuardResult, Mode, SettledEffect

__all__ = [
    "EffectGuard",
    "Mode",
    "NOTHING_RESOLVED",
    "SettledEffect",
    "GuardResult",
    "decide",
    "total_fee",
]
