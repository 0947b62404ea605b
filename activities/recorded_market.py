"""The clock of a recorded market: when it starts, and how fast it runs."""

from __future__ import annotations

from pathlib import Path

from activities.market_clock import RecordedTime
from engine.errors import ConfigurationError
from engine.market import list_recorded
from engine.state import ExchangeDetails
from engine.types import Timestamp


def recorded_time(exchange: ExchangeDetails) -> RecordedTime | None:
    """Return the clock of an exchange's recorded market; None for a market that is not recorded.

    A market without `start` begins when all of its recordings have begun.

    Raises:
        ConfigurationError: there is no such recording.
    """
    market = exchange.recorded
    if market is None:
        return None
    start = market.start
    if start is None:
        start = _earliest_common_moment(market.folder, exchange.internal_name or "")
    return RecordedTime(start, market.speed)


def _earliest_common_moment(folder: str, exchange_id: str) -> Timestamp:
    recordings = list_recorded(Path(folder), exchange_id)
    if not recordings:
        raise ConfigurationError(f"{folder} has no candles of {exchange_id}", code="no_recording")
    starts: list[Timestamp] = []
    trouble: ConfigurationError | None = None
    for recording in recordings:
        try:
            starts.append(recording.range()[0])
        except ConfigurationError as error:  # who reads that file is told of it
            trouble = error
    if trouble is not None and not starts:
        raise trouble
    return max(starts)
