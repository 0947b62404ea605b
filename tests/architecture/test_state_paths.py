"""Whoever reads a state by the names of its fields is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import state_paths
from tests.architecture.__main__ import main

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("key = state['automation']['metadata']", ["automation", "metadata"]),
        ("account = state.get('exchange_account_details')", ["exchange_account_details"]),
        ("intents = execution.pop('pending_effects', [])", ["pending_effects"]),
        ("for asset in state.setdefault('portfolio', {}): ...", ["portfolio"]),
        ("ended = 'executed_at' in action", ["executed_at"]),
        ("match state:\n    case {'priority_actions': [first, *_]}: ...", ["priority_actions"]),
        ("del state['automation']['run_key']", ["automation", "run_key"]),
    ],
)
@pytest.mark.parametrize("path", ["activities/planted.py", "web/pages/planted.py", "planted.py"])
def test_a_path_into_a_state_is_found(tmp_path: Path, path: str, text: str, names: list[str]) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(f"# planted\n{text}\n")

    found = state_paths.check(tmp_path)

    line = 3 if "\n" in text else 2
    assert sorted(found) == sorted(f"{path}:{line}: {state_paths.ADVICE.format(name)}" for name in names)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("engine/state/planted.py", "state['automation']"),
        ("tests/planted.py", "state['automation']"),
        ("cli/planted.py", "entry['status'], row.get('price'), names[0], rows[index]"),
        ("cli/planted.py", "shown = {'open_orders': [one.id for one in state.open_orders]}"),
        ("cli/planted.py", "entry['automation_id']"),
    ],
)
def test_what_is_no_path_into_a_state_is_not(tmp_path: Path, path: str, text: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(f"{text}\n")

    assert state_paths.check(tmp_path) == []


def test_an_exception_that_nothing_needs_is_found(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows/carried.py").write_text("pending = start.pending_effects\n")

    assert state_paths.check(tmp_path) == [
        "workflows/carried.py:1: it reads no state by name any more: take it off the list"
    ]


def test_this_rule_is_kept() -> None:
    assert state_paths.check(REPOSITORY) == []


def test_what_breaks_a_rule_is_printed_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "planted.py").write_text("state['automation']\n")

    assert main(tmp_path) == 1
    assert capsys.readouterr().out == f"planted.py:1: {state_paths.ADVICE.format('automation')}\n"
