"""Reads corpus files: cases, the candles they share, and what is not run or not followed on purpose."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent
DIFFERENCES: Final = FOLDER / "differences.json"
LEFT_OUT: Final = FOLDER / "left_out.json"

Columns = Mapping[str, list[float]]
CandleSet = Mapping[str, Mapping[str, Columns]]
"""Candle columns by symbol and time frame."""


@dataclass(frozen=True, slots=True)
class Case:
    """One input and what must come of it; `candles` are those that its context names."""

    id: str
    mode: str
    expression: str | None
    expected: Any
    context: Mapping[str, Any]
    candles: CandleSet


@dataclass(frozen=True, slots=True)
class Corpus:
    """The cases of one file: those to run, and what names each one that is not run."""

    cases: tuple[Case, ...]
    left_out: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Corpus:
        """Read a file of the form `{candle_sets, cases}`, whose cases name a mode or a group."""
        content = json.loads(path.read_text())
        sets = content.get("candle_sets", {})
        if all("mode" in raw for raw in content["cases"]):
            return cls(tuple(_case(raw, sets) for raw in content["cases"]))
        cases = _entries(content["cases"])
        return cls(
            tuple(case for case in cases if left_out_by(case) is None),
            tuple(key for case in cases if (key := left_out_by(case)) is not None),
        )


def left_out_by(case: Case) -> str | None:
    """Return what names an entry among those that are not run: its id, its group, or the start of that."""
    keys = left_out()
    return next(
        (
            key
            for key in keys
            if key in (case.id, case.mode) or (key.endswith(".") and case.mode.startswith(key))
        ),
        None,
    )


@cache
def left_out() -> Mapping[str, str]:
    """Return the entries that are not run as they are, with the reason of each."""
    reasons: dict[str, str] = json.loads(LEFT_OUT.read_text())
    return reasons


def differences() -> dict[str, str]:
    """Return the ids of the cases that are consciously not followed, with the reason of each."""
    reasons: dict[str, str] = json.loads(DIFFERENCES.read_text())
    return reasons


def _case(raw: Mapping[str, Any], sets: Mapping[str, CandleSet]) -> Case:
    context = raw.get("context") or {}
    named = context.get("candles")
    candles = sets[named] if isinstance(named, str) else named or {}
    return Case(raw["id"], raw["mode"], raw.get("expr"), raw.get("expect"), context, candles)


def _entries(raw: Sequence[Mapping[str, Any]]) -> list[Case]:
    """Read entries of a setup, an event and what comes of it; they are numbered within their group."""
    count: Counter[str] = Counter()
    cases = []
    for entry in raw:
        group = entry["group"]
        count[group] += 1
        context = {"setup": entry["setup"], "event": entry["event"]}
        cases.append(Case(f"{group}-{count[group]}", group, None, entry["expect"], context, {}))
    return cases
