"""The search attributes by which automations are found in Temporal's lists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

STATUS: Final = SearchAttributeKey.for_keyword("OctoflowStatus")
EXCHANGE: Final = SearchAttributeKey.for_keyword("OctoflowExchange")
SYMBOLS: Final = SearchAttributeKey.for_keyword_list("OctoflowSymbols")
NEXT_RUN: Final = SearchAttributeKey.for_datetime("OctoflowNextRun")

SEARCH_ATTRIBUTES: Final[tuple[SearchAttributeKey[Any], ...]] = (STATUS, EXCHANGE, SYMBOLS, NEXT_RUN)


def changed_attributes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[SearchAttributeUpdate[Any]]:
    """Return the updates that lead from `old` to `new` values.

    Args:
        old: attribute values by name, as they were last set; times are UNIX seconds.
        new: the values to set; an absent or None value removes the attribute.
    """
    return [
        _update(key, new.get(key.name)) for key in SEARCH_ATTRIBUTES if old.get(key.name) != new.get(key.name)
    ]


def date_of(seconds: float) -> datetime | None:
    """Return UNIX seconds as a date; None for what is none, such as infinity or the year 100,000."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _update(key: SearchAttributeKey[Any], value: Any) -> SearchAttributeUpdate[Any]:
    if value is None:
        return key.value_unset()
    if key is NEXT_RUN:
        at = date_of(value)
        return key.value_unset() if at is None else key.value_set(at)
    return key.value_set(value)
