"""Reads corpus files: cases, the candles they share, and the cases that are not followed on purpose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent
DIFFERENCES: Final = FOLDER / "differences.json"

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
    """The cases of one file."""

    cases: tuple[Case, ...]

    @classmethod
    def read(cls, path: Path) -> Corpus:
        """Read a file of the form `{candle_sets, cases}`."""
        content = json.loads(path.read_text())
        sets = content.get("candle_sets", {})
        return cls(tuple(_case(raw, sets) for raw in content["cases"]))


def differences() -> dict[str, str]:
    """Return the ids of the cases that are consciously not followed, with the reason of each."""
    reasons: dict[str, str] = json.loads(DIFFERENCES.read_text())
    return reasons


def _case(raw: Mapping[str, Any], sets: Mapping[str, CandleSet]) -> Case:
    context = raw.get("context") or {}
    named = context.get("candles")
    candles = sets[named] if isinstance(named, str) else named or {}
    return Case(raw["id"], raw["mode"], raw.get("expr"), raw.get("expect"), context, candles)
