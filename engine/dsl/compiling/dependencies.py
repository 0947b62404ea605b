"""Finds out which market data a script depends on, without running anything that has an effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from engine.dsl.compiling.facts import DataRequest, Facts
from engine.dsl.registry import Source, SymbolParam, TimeFrameParam
from engine.dsl.running import OUTSIDE, UNKNOWN, Code, Frame
from engine.dsl.source import error_at
from engine.dsl.syntax import unparse
from engine.errors import DslError


@dataclass(frozen=True, slots=True)
class DataDependency:
    """Data that a script needs.

    Attributes:
        time_frame: None when no candles are needed.
        candles: how many of the newest ones the script looks at; 0 when that is not known.
    """

    symbol: str
    time_frame: str | None
    source: Source
    candles: int = 0


def extract(facts: Facts, frame: Frame) -> tuple[DataDependency, ...]:
    """Return the dependencies of a script, each once, in order of appearance.

    Args:
        facts: what the compiler found.
        frame: its context has the automation's own symbol and time frame (calls that would use a missing
            one are left out), and the references and parameters that are known already.

    Raises:
        DslError: a symbol or time frame cannot be known before the script runs; names the expression.
    """
    defaults = frame.context.defaults
    for slot, code in facts.assignments:
        frame.slots[slot] = _value(code, frame)
    found: dict[tuple[str, str | None, Source], int] = {}
    for request in facts.requests:
        source = request.definition.source
        assert source is not None, "only calls with a source are noted"
        for symbol in _choices(request, request.symbol, SymbolParam, defaults.symbol, frame):
            for time_frame in _choices(
                request, request.time_frame, TimeFrameParam, defaults.time_frame, frame
            ):
                if symbol is not None and (time_frame is not None or source != "candles"):
                    key = (symbol, time_frame, source)
                    found[key] = max(found.get(key, 0), _candles(request))
    return tuple(DataDependency(*key, candles=candles) for key, candles in found.items())


def _candles(request: DataRequest) -> int:
    return request.candles or 0 if request.definition.source == "candles" else 0


def _choices(
    request: DataRequest, code: Code | None, marker: type, default: str | None, frame: Frame
) -> list[str | None]:
    """Return every value that an argument may have, over all branches of a condition in it."""
    if not any(parameter.marker(marker) for parameter in request.definition.parameters):
        return [None]
    if code is None:
        return [default]
    value = _value(code, frame)
    if value is not UNKNOWN:
        return [_known(request, value, default, frame)]
    if code.alternatives:
        branches = (_choices(request, branch, marker, default, frame) for branch in code.alternatives)
        return [choice for branch in branches for choice in branch]
    what = _NAMES[marker]
    raise error_at(
        frame.text,
        request.at,
        f"the {what} of `{unparse(request.node)}` cannot be known before the script runs",
        code="invalid_parameters",
        suggestion=f"Write the {what} out, or take it from the result of another action.",
    )


_NAMES: Final[dict[type, str]] = {SymbolParam: "symbol", TimeFrameParam: "time frame"}


def _known(request: DataRequest, value: Any, default: str | None, frame: Frame) -> str | None:
    if value is None:
        return default
    if isinstance(value, str):
        return value
    message = f"`{unparse(request.node)}` needs a text, not a {type(value).__name__}"
    raise error_at(frame.text, request.at, message, code="invalid_parameters")


def _value(code: Code, frame: Frame) -> Any:
    """Return the value of an expression if everything it depends on is known, else `UNKNOWN`."""
    if code.is_constant:
        return code.constant
    if (
        code.run is None
        or code.needs is None
        or any(slot != OUTSIDE and frame.slots[slot] is UNKNOWN for slot in code.needs)
    ):
        return UNKNOWN
    try:
        return code.run(frame)
    except DslError:
        return UNKNOWN
