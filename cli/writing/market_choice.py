"""Chooses the recorded market that `--market` asks for, and lays it over an automation's state."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.errors import CommandError, ExitCode
from engine.dsl import DataDependency, Defaults, compile_script
from engine.errors import ConfigurationError, DslError, RetryableError
from engine.market import SAMPLE_SEED, Recording, fetch_recording, list_recorded, write_sample_market
from engine.operators import default_registry
from engine.state import AutomationState, RecordedMarket
from engine.timing import parse_moment
from engine.types import Symbol, TimeFrame

MARKET_VARIABLE: Final = "OCTOFLOW_MARKET_DATA"
AUTO: Final = "auto"

HISTORY_CANDLES: Final = 100
"""Candles before the start, for indicators to look back on."""

FETCHED_CANDLES: Final = 500
FETCH_TIMEOUT: Final = 2.0
FALLBACK_TIME_FRAME: Final = TimeFrame("1h")

_SHIPPED_SAMPLE: Final = Path(__file__).parents[2] / "examples" / "sample_market"


@dataclass(frozen=True, slots=True)
class MarketChoice:
    """A folder of recorded candles, and what to tell the user about it."""

    folder: Path
    description: str


@dataclass(frozen=True, slots=True)
class Need:
    """Candles that the scripts of an automation read; `time_frame` None when only prices are read."""

    symbol: Symbol
    time_frame: TimeFrame | None


def needs_of(state: AutomationState) -> tuple[Need, ...]:
    """Return what the scripts of an automation read of the market, as far as it is known before running."""
    chosen = state.automation.defaults
    defaults = Defaults(symbol=chosen.symbol, time_frame=chosen.time_frame)
    needs: dict[Need, None] = {}
    for action in state.actions:
        if action.dsl_script is None:
            continue
        try:
            dependencies = compile_script(action.dsl_script, default_registry()).dependencies(defaults)
        except DslError:
            continue  # depends on another action's result, which only the run will know
        needs |= dict.fromkeys(map(_need, dependencies))
    return tuple(needs)


def _need(dependency: DataDependency) -> Need:
    time_frame = TimeFrame(dependency.time_frame) if dependency.time_frame is not None else None
    return Need(Symbol(dependency.symbol), time_frame)


async def choose_market(market: str, state: AutomationState, home: Path) -> MarketChoice:
    """Return the market to replay.

    Args:
        market: a folder, or `auto`: the folder of `OCTOFLOW_MARKET_DATA` if that is set, else candles fetched
            from the exchange just now, else the synthetic sample market.
        state: the automation that will trade on it.
        home: data folder, where fetched candles are kept.

    Raises:
        CommandError: the folder does not exist, or the automation has no simulated account.
    """
    exchange = _simulated_exchange(state)
    if market != AUTO:
        return _named_folder(market, "--market")
    if named := os.environ.get(MARKET_VARIABLE):
        return _named_folder(named, MARKET_VARIABLE)
    needs = needs_of(state)
    try:
        return await _fetch(exchange, needs, home / "recordings" / exchange)
    except (RetryableError, ConfigurationError) as error:
        choice = _sample(home)
        return MarketChoice(choice.folder, f"{choice.description} ({exchange} is out of reach: {error})")


def _simulated_exchange(state: AutomationState) -> str:
    details = state.exchange_account_details
    if details is None or details.exchange_details.internal_name is None:
        message = "--market needs an automation with an exchange; add a line such as `exchange: binance`."
        raise CommandError(message, ExitCode.WRONG_INPUT)
    if not details.is_simulated:
        message = "--market is for simulated accounts; remove `credentials` from the file to trade on paper."
        raise CommandError(message, ExitCode.WRONG_INPUT)
    return details.exchange_details.internal_name


def _named_folder(name: str, source: str) -> MarketChoice:
    folder = Path(name).expanduser().resolve()
    if not folder.is_dir():
        raise CommandError(f"{source} names {folder}, which is not a folder.", ExitCode.WRONG_INPUT)
    return MarketChoice(folder, f"recorded market in {folder}")


async def _fetch(exchange: str, needs: Sequence[Need], folder: Path) -> MarketChoice:
    symbols = sorted({need.symbol for need in needs})
    time_frames = {need.time_frame for need in needs if need.time_frame} or {FALLBACK_TIME_FRAME}
    for time_frame in sorted(time_frames):
        await fetch_recording(exchange, symbols, time_frame, FETCHED_CANDLES, folder, timeout=FETCH_TIMEOUT)
    return MarketChoice(folder, f"candles of {exchange}, fetched just now")


def _sample(home: Path) -> MarketChoice:
    """Return the sample market of a checkout, or the same one generated where there is no checkout."""
    description = "synthetic sample market"
    if _SHIPPED_SAMPLE.is_dir():
        return MarketChoice(_SHIPPED_SAMPLE, description)
    folder = home / "sample_market"
    if not folder.is_dir():
        write_sample_market(folder, SAMPLE_SEED)
    return MarketChoice(folder, description)


def lay_over(
    state: AutomationState, choice: MarketChoice, start: str | None, speed: float
) -> tuple[AutomationState, float | None]:
    """Return the state trading on a recorded market, and the market time it starts at.

    Args:
        state: of an automation with a simulated account.
        choice: the market.
        start: market time to start at, ISO 8601 or UNIX seconds; None leaves some history before it.
        speed: market seconds per real second.

    Raises:
        CommandError: `start` is not a time.
        ConfigurationError: the market has no candles of a symbol that the automation reads.
    """
    exchange = _simulated_exchange(state)
    first = _first_start(choice.folder, exchange, needs_of(state))
    at = _parse_start(start) if start is not None else first
    laid = state.model_copy(deep=True)
    if laid.exchange_account_details is not None:
        recorded = RecordedMarket(folder=str(choice.folder), start=at, speed=speed)
        laid.exchange_account_details.exchange_details.recorded = recorded
    return laid, at


def _parse_start(start: str) -> float:
    try:
        return float(start)
    except ValueError:
        pass
    try:
        return parse_moment(start)
    except ValueError as error:
        raise CommandError(f"--start: {error}", ExitCode.WRONG_INPUT) from None


def _first_start(folder: Path, exchange: str, needs: Sequence[Need]) -> float | None:
    """Return the first moment at which every recording that is read has some history."""
    recordings = list_recorded(folder, exchange)
    starts = [_start_of(_recording_for(recordings, need, folder)) for need in needs]
    return max(starts, default=None)


def _recording_for(recordings: Sequence[Recording], need: Need, folder: Path) -> Recording:
    """Return the recording with the newest candles of what is read."""
    fitting = [
        recording
        for recording in recordings
        if recording.symbol == need.symbol and need.time_frame in (None, recording.time_frame)
    ]
    if not fitting:
        wanted = f"{need.symbol} {need.time_frame or ''}".strip()
        there = ", ".join(f"{recording.symbol} {recording.time_frame}" for recording in recordings)
        raise ConfigurationError(
            f"the recorded market in {folder} has no candles of {wanted}; it has {there}"
        )
    return max(fitting, key=lambda recording: recording.range()[1])


def _start_of(recording: Recording) -> float:
    first, last = recording.range()
    return min(first + HISTORY_CANDLES * recording.step, (first + last) / 2)
