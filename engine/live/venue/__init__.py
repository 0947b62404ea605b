"""One exchange's private API: requests, answers, reports, pages, clock and rights."""

from engine.live.venue.api import (
    Absent,
    Accepted,
    Confirmed,
    Duplicate,
    LiveExchange,
    OrderReport,
    Refused,
    TradingApi,
    Unclear,
)
from engine.live.venue.key_rights import check_rights
from engine.live.venue.opening import open_live

__all__ = [
    "Absent",
    "Accepted",
    "Confirmed",
    "Duplicate",
    "LiveExchange",
    "OrderReport",
    "Refused",
    "TradingApi",
    "Unclear",
    "check_rights",
    "open_live",
]
