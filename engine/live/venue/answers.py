"""What an exchange's answer to an effect means: one table, the most specific rows first.

Only these answers to a new order are definite; each row is tested with the classes of ccxt and with error
bodies of real exchanges:

=====================================================  ==================================================
what ccxt raises                                       the answer
=====================================================  ==================================================
a text of the exchange about a used client id          `Duplicate`: look up, and adopt
`DuplicateOrderId`                                     `Duplicate`
`InsufficientFunds`                                    `Refused` (not_enough_funds)
`BadSymbol`                                            `Refused` (missing_symbol)
`PermissionDenied`                                     `Refused` (symbol_incompatible_with_account)
`InvalidOrder`, `BadRequest`                           `Refused` (invalid_order)
=====================================================  ==================================================

Everything else may have happened, so it is `Unclear`: network errors, time-outs, 5xx, answers that are no
answers, a bare `ExchangeError`, `OperationRejected`, a closed market, and whatever is not ccxt's. Some of it
says when to go on, as `engine.exchanges.failures` tells.

A cancellation has two rows before these: `OrderNotFound`, or a text about an unknown order, is `Absent`. A
leverage that is set already is `Confirmed`.
"""

from __future__ import annotations

from typing import Final

from engine.errors import ActionStatus
from engine.exchanges import Capabilities, is_a, is_rate_limit, postponement
from engine.live.venue.api import Absent, Confirmed, Duplicate, Refused, Unclear
from engine.types import Seconds

DEFINITE: Final[tuple[tuple[str, ActionStatus], ...]] = (
    ("InsufficientFunds", ActionStatus.NOT_ENOUGH_FUNDS),
    ("BadSymbol", ActionStatus.MISSING_SYMBOL),
    ("PermissionDenied", ActionStatus.SYMBOL_INCOMPATIBLE_WITH_ACCOUNT),
    ("InvalidOrder", ActionStatus.INVALID_ORDER),
    ("BadRequest", ActionStatus.INVALID_ORDER),
)
"""ccxt's classes by which nothing happened. BadSymbol is a BadRequest, and must stand before it."""

DUPLICATE_TEXTS: Final = ("duplicate client", "client order id already", "already been used", "duplicated")
"""What exchanges without a text of their own in the table are likely to say."""

UNKNOWN_ORDER_TEXTS: Final = ("unknown order", "unknown_order", "order does not exist", "order not found")
UNCHANGED_TEXTS: Final = ("not modified", "not been modified", "no need to change")


def answer_to_create(
    error: BaseException, message: str, capabilities: Capabilities, retry_after: Seconds | None = None
) -> Refused | Duplicate | Unclear:
    """Return what an error behind a new order means.

    Args:
        error: what ccxt raised.
        message: its text without secrets.
        capabilities: the exchange's row, for its duplicate texts.
        retry_after: seconds that the exchange asks to wait.
    """
    if is_a(error, "DuplicateOrderId") or _is_duplicate(error, message, capabilities):
        return Duplicate(message)
    return _refusal(error, message) or unclear(error, message, retry_after)


def answer_to_withdraw(
    error: BaseException, message: str, capabilities: Capabilities, retry_after: Seconds | None = None
) -> Refused | Duplicate | Unclear:
    """Return what an error behind a withdrawal means; what a key may not do is no matter of a symbol."""
    if is_a(error, "PermissionDenied"):
        return Refused(ActionStatus.DISABLED_FUNDS_TRANSFER_ERROR, message)
    return answer_to_create(error, message, capabilities, retry_after)


def answer_to_cancel(
    error: BaseException, message: str, retry_after: Seconds | None = None
) -> Absent | Refused | Unclear:
    """Return what an error behind a cancellation means."""
    definite = is_a(error, "ExchangeError")
    if is_a(error, "OrderNotFound") or (definite and _contains(message, UNKNOWN_ORDER_TEXTS)):
        return Absent(message)
    return _refusal(error, message) or unclear(error, message, retry_after)


def answer_to_change(
    error: BaseException, message: str, retry_after: Seconds | None = None
) -> Confirmed | Refused | Unclear:
    """Return what an error behind a changed setting means."""
    if is_a(error, "NoChange") or (is_a(error, "ExchangeError") and _contains(message, UNCHANGED_TEXTS)):
        return Confirmed()
    return _refusal(error, message) or unclear(error, message, retry_after)


def unclear(error: BaseException, message: str, retry_after: Seconds | None = None) -> Unclear:
    """Return that it may have happened, and when to go on."""
    return Unclear(
        message,
        retry_after=retry_after if is_rate_limit(error) else None,
        postpone=postponement(error),
    )


def _refusal(error: BaseException, message: str) -> Refused | None:
    return next((Refused(status, message) for name, status in DEFINITE if is_a(error, name)), None)


def _is_duplicate(error: BaseException, message: str, capabilities: Capabilities) -> bool:
    # Network errors quote what was sent, answers of the exchange what it thinks of it.
    return is_a(error, "ExchangeError") and _contains(
        message, (*capabilities.duplicate_texts, *DUPLICATE_TEXTS)
    )


def _contains(message: str, texts: tuple[str, ...]) -> bool:
    small = message.lower()
    return any(text in small for text in texts)
