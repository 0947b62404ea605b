"""Measures what scripts cost: `measure` runs each in a process of its own, forked from one that is warm.

A processor's seconds tell little: a slow machine needs twice as many, and so does a fast one whose neighbours
are busy. So the cost is weighed against a fixed piece of work, done in the same process right before the
script and right behind it, which all of this slows down as much.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

_WARM_UP = "x = rsi([1, 2, 3], 2)\n[x[-1], decimal('1') + 1, str({'a': $r[0].b}), 'a' * 2] if $r else 1"
_MEGABYTE = 1024
"""In the unit of `ru_maxrss`, which is KB on Linux."""


class Cost(NamedTuple):
    """What a script cost.

    Attributes:
        work: processor time, in multiples of the reference work.
        megabytes: by how much the process grew at its peak.
        outcome: code of the error, or "" for a value.
    """

    work: float
    megabytes: float
    outcome: str

    @property
    def is_within_limits(self) -> bool:
        """What anything at the text limit keeps: a hundred times the reference work, and 50 MB."""
        return self.work <= 100 and self.megabytes <= 50


def measure(texts: Sequence[str]) -> list[Cost]:
    """Return what it costs to compile and evaluate each text.

    What seems too much is measured up to two times more: a neighbour can come in the middle of a script.

    Raises:
        AssertionError: a text crashed the process.
    """
    costs = _measure_once(texts)
    for _ in range(2):
        excessive = [index for index, cost in enumerate(costs) if not cost.is_within_limits]
        if not excessive:
            break
        for index, cost in zip(excessive, _measure_once([texts[one] for one in excessive]), strict=True):
            costs[index] = min(costs[index], cost)
    return costs


def _measure_once(texts: Sequence[str]) -> list[Cost]:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.measured"],
        input=json.dumps(list(texts)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2_000:]
    return [Cost(*json.loads(line)) for line in ran.stdout.splitlines()]


def _run(text: str) -> str:
    from engine.errors import DslError
    from tests.support.scripts import run

    try:
        run(text, references={"r": [{"b": 1.0}]})
    except DslError as error:
        return error.code
    return ""


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _reference_work() -> float:
    """Return the processor time that a fixed piece of work takes: calls and texts, as in an interpreter.

    It takes 10 to 20 ms on a fast machine, where a hundred times as much is a second or two.
    """
    started = time.process_time()
    _tree(17)
    return time.process_time() - started


def _tree(depth: int) -> str:
    return f"({_tree(depth - 1)}, {_tree(depth - 1)})" if depth else "x"


def _in_a_fork(text: str) -> None:
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert status == 0, f"status {status} of {text[:200]!r}"
        return
    before = _reference_work()
    peak, started = _peak(), time.process_time()
    outcome = _run(text)
    seconds, grown = time.process_time() - started, _peak() - peak
    work = seconds / max(before, _reference_work())
    cost = Cost(work, grown / _MEGABYTE, outcome)
    sys.stdout.write(json.dumps(cost) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    _run(_WARM_UP)
    for given in json.load(sys.stdin):
        _in_a_fork(given)
