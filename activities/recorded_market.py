"""Reads from a state whether its market is a recorded one, and when that market starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from activities.market_clock import RecordedTime
from engine.errors import ConfigurationError
from engine.market import list_recorded
from engine.state import RecordedMarket
from workflows.messages import Json


def recorded_section(state: Json) -> dict[str, Any] | None:
    """Return the description of the recorded market in a state's JSON form, if it has one."""
    recorded: dict[str, Any] | None = _exchange_details(state).get("recorded")
    return recorded


def recorded_time(state: Json) -> RecordedTime | None:
    """Return the clock of the automation's recorded market; None for a market that is not recorded.

    A market without `start` begins when all of its recordings have begun.

    Raises:
        ConfigurationError: there is no such recording.
    """
    section = recorded_section(state)
    if section is None:
        return None
    market = RecordedMarket.model_validate(section)
    start = market.start
    if start is None:
        start = _earliest_common_moment(market.folder, _exchange_details(state).get("internal_name", ""))
    return RecordedTime(start, market.speed)


def _earliest_common_moment(folder: str, exchange_id: str) -> float:
    recordings = list_recorded(Path(folder), exchange_id)
    if not recordings:
        raise ConfigurationError(f"{folder} has no candles of {exchange_id}", code="no_recording")
    return max(recording.range()[0] for recording in recordings)


def _exchange_details(state: Json) -> dict[str, Any]:
    details: dict[str, Any] = state.get("exchange_account_details", {}).get("exchange_details", {})
    return details
