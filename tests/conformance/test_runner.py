"""The runner counts what a case comes to, also when the case brings the engine down."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.conformance import __main__ as runner

CASES = [
    {"id": "first", "mode": "eval", "expr": "1 + 1", "expect": 2},
    {"id": "no-such-mode", "mode": "nonsense", "expr": "1", "expect": 1},
    {"id": "no-context", "mode": "amount", "expr": "10%", "expect": {"$requested": 1}},
    {"id": "not-comparable", "mode": "eval", "expr": "1", "expect": {"$approx": "one"}},
    {"id": "last", "mode": "eval", "expr": "2 * 2", "expect": 4},
]


def test_a_crash_is_a_failure_and_the_next_case_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "corpus.json"
    corpus.write_text(json.dumps({"cases": CASES}))
    monkeypatch.setattr(sys, "argv", ["conformance", "--verbose", str(corpus)])

    assert runner.main() == 1

    shown = capsys.readouterr().out
    assert "2 passed, 3 failed" in shown
    assert "crash: KeyError: 'nonsense'" in shown
