"""What compiling a script finds out about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.dsl.compiling.candles_needed import CandleCount
from engine.dsl.registry import OperatorDefinition
from engine.dsl.running import Code
from engine.dsl.syntax import Call, Expression


@dataclass(frozen=True, slots=True)
class DataRequest:
    """One call that depends on market data.

    Attributes:
        node: the call, for error messages.
        origin: `id` of the node it stands for in the tree: itself, or a bare name.
        symbol, time_frame: the expressions given for them, if any.
        candles: how many of the newest candles are looked at; None when that cannot be told.
    """

    definition: OperatorDefinition
    node: Call
    origin: int
    at: int
    symbol: Code | None
    time_frame: Code | None
    candles: CandleCount = None


@dataclass(slots=True)
class Facts:
    """What compiling a script finds out about it.

    Attributes:
        calls: the called operators, in order of appearance.
        requests: the calls that depend on market data.
        references: ids of the actions whose results are used.
        parameters: names of the `UNRESOLVED_PARAMETER`s.
        windows, texts: see `candles_needed`.
        assignments: the locals' slots and values.
    """

    calls: list[OperatorDefinition] = field(default_factory=list)
    requests: list[DataRequest] = field(default_factory=list)
    references: set[str] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)
    windows: dict[int, CandleCount] = field(default_factory=dict)
    texts: dict[int, Expression] = field(default_factory=dict)
    assignments: tuple[tuple[int, Code], ...] = ()
