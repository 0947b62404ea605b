"""Why an exchange refuses a request; each dialect has its own words for it."""

from __future__ import annotations

from enum import Enum, auto


class Reason(Enum):
    """What is wrong with a request that reached the books."""

    INSUFFICIENT_FUNDS = auto()
    DUPLICATE_CLIENT_ID = auto()
    UNKNOWN_MARKET = auto()
    UNKNOWN_ORDER = auto()
    NOTHING_TO_CANCEL = auto()
    WOULD_TAKE = auto()
    WOULD_TRIGGER = auto()
    FILTER = auto()
    NOT_PERMITTED = auto()


class Refused(Exception):
    """A definite refusal: the books are unchanged.

    Attributes:
        reason: what is wrong.
        detail: the name of the filter that failed, for `FILTER`.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.name} {detail}".strip())
        self.reason = reason
        self.detail = detail
