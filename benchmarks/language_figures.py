"""The expression language, warm, beside other evaluators of Python-like expressions and beside bare calls."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import accumulate, repeat
from typing import Final

import celpy
import talib
from asteval import Interpreter
from simpleeval import SimpleEval

from benchmarks.figures import Figure
from engine.dsl import Defaults, ScriptContext, compile_script
from engine.market import Candles, MarketData
from engine.operators import default_registry
from engine.types import TimeFrame

Contender = Callable[[], object]

OURS: Final = "Octoflow"
CPYTHON: Final = "CPython's eval of compiled code"
BARE: Final = "bare TA-Lib and numpy"

ARITHMETIC: Final = "1 + x * 3 - 4 / 2 > 3 and 2 < 5"
SIGNAL: Final = "rsi(close, 14)[-1] < 30 and close[-1] < ma(close, 50)[-1]"
COLD: Final = (
    "level = price * 0.97 if $mood.score > {} else price * 0.95\nround(level, 2) if now > 0 else [False]"
)

_CANDLES: Final = 1_000
_ROUNDS: Final = 50
_TURN: Final = 0.002
"""Seconds that a contender runs before it is the turn of the next one."""


def language_figures() -> Iterator[Figure]:
    """Arithmetic, indicators, and scripts that were never seen."""
    yield from _figures("arithmetic", _arithmetic(), {CPYTHON: 3.0})
    yield from _figures("one indicator decides", _signal(_closes(drift=0.0)), {BARE: 1.5})
    yield from _figures("two indicators", _signal(_closes(drift=-0.005)), {BARE: 1.5})
    yield _cold()


def _figures(name: str, contenders: Mapping[str, Contender], bounds: Mapping[str, float]) -> Iterator[Figure]:
    """What a script takes, and its ratio to the time of every other contender: at most 1 where not told."""
    answers = {contender: bool(work()) for contender, work in contenders.items()}
    assert len(set(answers.values())) == 1, answers
    rounds = _interleaved(contenders)
    ours = rounds.pop(OURS)
    yield Figure(name=f"language, {name}", value=statistics.median(ours) * 1e6, unit="µs")
    for peer, theirs in rounds.items():
        ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
        yield Figure(
            name=f"language, {name}", value=ratio, unit="x", at_most=bounds.get(peer, 1.0), peer=peer
        )


def _interleaved(contenders: Mapping[str, Contender]) -> dict[str, list[float]]:
    """Processor time per call in each round; contenders take turns, so that a busy machine slows all."""
    calls = {name: max(1, int(_TURN / _seconds(work, 10))) for name, work in contenders.items()}
    gc.collect()
    gc.disable()
    try:
        rounds = [
            {name: _seconds(work, calls[name]) for name, work in contenders.items()} for _ in range(_ROUNDS)
        ]
    finally:
        gc.enable()
    return {name: [one[name] for one in rounds] for name in contenders}


def _seconds(work: Contender, calls: int) -> float:
    """Seconds of processor time per call; what other processes take does not count."""
    turns = repeat(None, calls)
    start = time.process_time()
    for _ in turns:
        work()
    return (time.process_time() - start) / calls


def _arithmetic() -> dict[str, Contender]:
    script = compile_script(ARITHMETIC.replace("x", "$x"), default_registry())
    context = ScriptContext(now=0, references={"x": 2})
    names = {"x": 2}
    code = compile(ARITHMETIC, "arithmetic", "eval")
    environment = celpy.Environment()
    cel = environment.program(environment.compile(ARITHMETIC.replace("and", "&&")))
    cel_names = {"x": celpy.celtypes.IntType(2)}
    return {
        OURS: lambda: script.evaluate(context),
        CPYTHON: lambda: eval(code, names),
        "cel-python": lambda: cel.evaluate(cel_names),
        **_interpreters(ARITHMETIC, names, {}),
    }


def _signal(closes: list[float]) -> dict[str, Contender]:
    """The contenders that know lists of numbers and functions; cel-python has neither index from the end."""
    candles = Candles.from_rows(
        TimeFrame("1h"), [(index * 3_600, *repeat(close, 4), 1.0) for index, close in enumerate(closes)]
    )
    script = compile_script(SIGNAL, default_registry())
    context = ScriptContext(
        now=0, defaults=Defaults("BTC/USDT", "1h"), services={MarketData: _OneMarket(candles)}
    )
    close, rsi, ma = candles.close, talib.RSI, talib.SMA
    return {
        OURS: lambda: script.evaluate(context),
        BARE: lambda: rsi(close, 14)[-1] < 30 and close[-1] < ma(close, 50)[-1],
        **_interpreters(SIGNAL, {"close": close}, {"rsi": rsi, "ma": ma}),
    }


def _interpreters(
    text: str, names: Mapping[str, object], functions: Mapping[str, Callable[..., object]]
) -> dict[str, Contender]:
    """The peers that evaluate Python's syntax, with the text parsed beforehand."""
    simple = SimpleEval(names=dict(names), functions=dict(functions))
    parsed = simple.parse(text)
    interpreter = Interpreter(user_symbols={**names, **functions})
    tree = interpreter.parse(text)
    return {
        "simpleeval": lambda: simple.eval(text, previously_parsed=parsed),
        "asteval": lambda: interpreter.run(tree),
    }


class _OneMarket:
    """Market data that has candles and nothing else."""

    def __init__(self, candles: Candles) -> None:
        self._candles = candles

    def candles(self, *_: object) -> Candles:
        return self._candles


def _closes(*, drift: float) -> list[float]:
    """A seeded walk of prices that drifts at its end."""
    steps = random.Random(7)
    factors = [steps.gauss(1.0, 0.01) + (drift if index > _CANDLES - 30 else 0) for index in range(_CANDLES)]
    return list(accumulate(factors, lambda price, factor: price * factor, initial=100.0))[1:]


def _cold() -> Figure:
    """Parsing and compiling scripts of 100 characters, each for the first time."""
    registry = default_registry()
    texts = [COLD.format(number) for number in range(1_000, 1_200)]
    assert {len(text) for text in texts} == {100}, len(texts[0])
    seconds = [_seconds(partial(compile_script, text, registry), 1) for text in texts]
    median = statistics.median(seconds) * 1e3
    return Figure(name="language, cold parse and compile", value=median, unit="ms", at_most=2)
