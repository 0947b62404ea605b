"""One exchange's private API: requests, answers, reports, pages, clock and rights."""

from engine.live.venue.api import (
    Absent,
    Accepted,
    Done,
    Duplicate,
    KeyRights,
    LiveExchange,
    OrderReport,
    Refused,
    TradingApi,
    Unclear,
)
from engine.live.venue.capabilities import Capabilities, capabilities_of
from engine.live.venue.key_rights import check_rights
from engine.live.venue.opening import open_live

__all__ = [
    "Absent",
    "Accepted",
    "Capabilities",
    "Done",
    "Duplicate",
    "KeyRights",
    "LiveExchange",
    "OrderReport",
    "Refused",
    "TradingApi",
    "Unclear",
    "capabilities_of",
    "check_rights",
    "open_live",
]
