"""Finds out which market data a script depends on, without running anything that has an effect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from engine.dsl.compiling.candles_needed import CandleNeed, Look
from engine.dsl.compiling.facts import DataRequest, Facts
from engine.dsl.registry import Source, SymbolParam, TimeFrameParam
from engine.dsl.running import OUTSIDE, UNKNOWN, Code, Frame
from engine.dsl.source import error_at
from engine.dsl.syntax import Call, unparse
from engine.errors import DslError

_SHOWN: Final = 80
"""Characters of an indicator's call that people see."""


@dataclass(frozen=True, slots=True)
class DataDependency:
    """Data that a script needs.

    Attributes:
        time_frame: None when no candles are needed.
        candles: how many of the newest ones the script looks at; where that cannot be told, the newest 200,
            and what the indicators that are computed of them need besides.
        least: how many of them its values are defined by.
        reader: the call of the indicator that needs so many, if one does.
    """

    symbol: str
    time_frame: str | None
    source: Source
    candles: int = 0
    least: int = 0
    reader: Call | None = field(default=None, compare=False)

    @property
    def shown_reader(self) -> str:
        """What needs the candles, for people: `ema(close, 200)`."""
        text = "the script" if self.reader is None else unparse(self.reader)
        return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


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
    looks = facts.looks(lambda code: _value(code, frame))
    found: dict[tuple[str, str | None, Source], Look] = {}
    for request in facts.requests:
        source = request.definition.source
        assert source is not None, "only calls with a source are noted"
        for symbol in _choices(request, request.symbol, SymbolParam, defaults.symbol, frame):
            for time_frame in _choices(
                request, request.time_frame, TimeFrameParam, defaults.time_frame, frame
            ):
                if symbol is not None and (time_frame is not None or source != "candles"):
                    key = (symbol, time_frame, source)
                    look = looks.get(request.origin, _PRICE) if source == "candles" else _PRICE
                    found[key] = _both(found.get(key, _PRICE), look)
    return tuple(
        DataDependency(*key, look.need.seen, look.need.least, look.reader) for key, look in found.items()
    )


_PRICE: Final = Look(CandleNeed(0, 0))
"""How a call that reads no candles is looked at."""


def _both(one: Look, other: Look) -> Look:
    reader = one.reader if one.need.least >= other.need.least else other.reader
    return Look(one.need.merged(other.need), reader)


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
