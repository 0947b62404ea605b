"""An operator that takes a dataclass is, for scripts, one that has its fields written out as parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest

from engine.dsl import (
    Choice,
    Defaults,
    Kind,
    Lazy,
    LazyValue,
    Number,
    OperatorContext,
    OperatorRegistry,
    OperatorSet,
    Range,
    Series,
    SymbolParam,
    Unit,
    compile_script,
    operator,
)
from engine.errors import DslError
from tests.support.scripts import evaluate

Far = Annotated[Number, Range(gt=0), Unit("candles")]
Side = Annotated[str, Choice("buy", "sell")]
SymbolText = Annotated[str | None, SymbolParam()]

FOLDED = OperatorSet("looks", "Operators that take a dataclass.")
FLAT = OperatorSet("looks", "The same operators, with their parameters written out.")


@dataclass(frozen=True, kw_only=True)
class Look:
    """How to look.

    Attributes:
        far: how far to
            look.
        side: which way.
        symbol: at which market.
    """

    far: Far = 1
    side: Side = "buy"
    symbol: SymbolText = None


@dataclass(frozen=True, kw_only=True)
class CloseLook(Look):
    """How to look closely.

    Attributes:
        glass: through what.
    """

    glass: str
    seen: int = field(default=0, init=False)


@operator(FOLDED, kind=Kind.READ, source="price", example="look('x')")
def look(context: OperatorContext, at: str, how: Look, last: int = 0) -> list[Any]:
    """Look.

    Args:
        at: at what.
        side: which way, here.
        last: a number.
    """
    return [at, how.far, how.side, how.symbol, last]


@operator(FLAT, kind=Kind.READ, source="price", example="look('x')", name="look")
def look_flat(
    context: OperatorContext,
    at: str,
    far: Far = 1,
    side: Side = "buy",
    symbol: SymbolText = None,
    last: int = 0,
) -> list[Any]:
    """Look.

    Args:
        at: at what.
        far: how far to look.
        side: which way, here.
        symbol: at which market.
        last: a number.
    """
    return [at, far, side, symbol, last]


def newest(arguments: Any) -> int:
    return int(arguments["far"])


@operator(FOLDED, kind=Kind.PURE, window=newest, example="all_of(close, glass='x')")
def all_of(data: Series, *more: int, how: CloseLook, last: int = 0) -> list[Any]:
    """Look at all.

    Args:
        data: a series.
        more: numbers.
        last: a number.
    """
    return [len(data), list(more), how.far, how.side, how.symbol, how.glass, how.seen, last]


@operator(FLAT, kind=Kind.PURE, window=newest, example="all_of(close, glass='x')", name="all_of")
def all_of_flat(
    data: Series,
    *more: int,
    far: Far = 1,
    side: Side = "buy",
    symbol: SymbolText = None,
    glass: str,
    last: int = 0,
) -> list[Any]:
    """Look at all.

    Args:
        data: a series.
        more: numbers.
        far: how far to look.
        side: which way.
        symbol: at which market.
        glass: through what.
        last: a number.
    """
    return [len(data), list(more), far, side, symbol, glass, 0, last]


@dataclass(frozen=True)
class Late:
    """Evaluated late.

    Attributes:
        value: evaluated late.
        times: how often.
    """

    value: Annotated[LazyValue, Lazy(reads_only=True)]
    times: int = 1


@operator(FOLDED, kind=Kind.READ, example="twice(1, 2)")
async def twice(context: OperatorContext, late: Late, how: Look = Look(far=7)) -> list[Any]:
    """Look twice."""
    return [await late.value, late.times, how.far, how.side, how.symbol]


@operator(FLAT, kind=Kind.READ, example="twice(1, 2)", name="twice")
async def twice_flat(
    context: OperatorContext,
    value: Annotated[LazyValue, Lazy(reads_only=True)],
    times: int = 1,
    far: Far = 7,
    side: Side = "buy",
    symbol: SymbolText = None,
) -> list[Any]:
    """Look twice.

    Args:
        value: evaluated late.
        times: how often.
        far: how far to look.
        side: which way.
        symbol: at which market.
    """
    return [await value, times, far, side, symbol]


REGISTRIES = (OperatorRegistry([FOLDED]), OperatorRegistry([FLAT]))

SCRIPTS = (
    "look('x')",
    "look",
    "look('x', 2, 'sell', 'C/D', 5)",
    "look('x', side='sell', last=5.0)",
    "look(far=3, at='x', symbol=None)",
    "look('x', **{'far': 4})",
    "look('x', 0)",
    "look('x', 1 + 1 - 2)",
    "look('x', [2, 3][0], ['up'][0])",
    "look('x', side='up')",
    "look('x', simbol='A/B')",
    "look('x', how=1)",
    "look('x', 2, far=3)",
    "look('x', 1, 'buy', 'A/B', 5, 6)",
    "all_of([1, 2], glass='round')",
    "all_of([1, 2], 3, 4, glass='round', far=2, last=1)",
    "all_of([1, 2])",
    "all_of([1, 2], 3, glass=4)",
    "twice(1 + 1, 2, 3)",
    "twice(times=2, value=look('y', 5), side='sell')",
    "twice()",
    "twice(value=1, times=2.5)",
)


def outcome(text: str, registry: OperatorRegistry, defaults: Defaults) -> Any:
    """Everything that tells one operator from another: what a script needs, gives, or is refused for."""
    try:
        needed = compile_script(text, registry).dependencies(defaults)
        return needed, evaluate(text, registry=registry, defaults=defaults)
    except DslError as error:
        return error.code, error.message, error.line, error.column, error.suggestion


def test_the_reference_is_the_same() -> None:
    folded, flat = REGISTRIES
    assert folded.describe() == flat.describe()
    assert folded.describe()[0]["signature"].startswith("look(at: str, far: number = 1, side: str = 'buy', ")


@pytest.mark.parametrize("defaults", [Defaults(), Defaults("A/B", "1h")])
@pytest.mark.parametrize("text", SCRIPTS)
def test_a_call_is_the_same(text: str, defaults: Defaults) -> None:
    folded, flat = (outcome(text, registry, defaults) for registry in REGISTRIES)
    assert folded == flat


def test_both_ends_are_among_the_calls() -> None:
    codes = {outcome(text, REGISTRIES[0], Defaults("A/B", "1h"))[0] for text in SCRIPTS}
    assert {"invalid_parameters", "evaluation"} < codes
    assert sum(not isinstance(code, str) for code in codes) >= 2  # dependencies, of calls that went well


# Refusals.


@dataclass
class Melted:
    """Can be changed.

    Attributes:
        far: how far.
    """

    far: int = 1


@dataclass(frozen=True)
class Mute:
    """Says nothing."""

    far: int = 1


@dataclass(frozen=True)
class Made:
    """Has a default that the reference cannot show.

    Attributes:
        far: how far.
    """

    far: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Strange:
    """Has a field that the language does not know.

    Attributes:
        far: how far.
    """

    far: complex = 1j


def melted(how: Melted) -> None:
    """Look."""


def mute(how: Mute) -> None:
    """Look."""


def made(how: Made) -> None:
    """Look."""


def strange(how: Strange) -> None:
    """Look."""


def many(*how: Look) -> None:
    """Look."""


def maybe(how: Look | None) -> None:
    """Look."""


def clash(far: int, how: Look) -> None:
    """Look."""


def twofold(how: Look, then: CloseLook) -> None:
    """Look."""


def late(how: Look, at: str) -> None:
    """Look."""


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (melted, r"cannot take a .*Melted.* as how: .*Melted.*one frozen dataclass is needed"),
        (mute, r"Mute\.far needs a line under `Attributes:`"),
        (made, r"Made\.far needs a constant for its default"),
        (strange, "operators cannot take a .*complex"),
        (many, r"cannot take a .*Look.* as \*how.*one frozen dataclass is needed"),
        (maybe, "operators cannot take a .*Look"),
        (clash, "operator clash: duplicate parameter name: 'far'"),
        (twofold, "operator twofold: duplicate parameter name: 'far'"),
        (late, "operator late: non-default argument"),
    ],
)
def test_what_scripts_could_not_use_is_refused(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        operator(OperatorSet("refused", "x"), kind=Kind.PURE, example="x()")(function)
