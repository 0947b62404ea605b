"""What is known of a particular exchange stands in the table: no other module of the engine names one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine
from engine.exchanges.exchange_ids import known_exchange_ids

ROOT = Path(engine.__file__).parent
TABLE = "exchanges/table.py"
ALLOWED = {
    ("market/sample_market.py", "binance"): "the folder that the synthetic market is recorded in",
}
"""Names outside the table, each with its reason."""


def named_exchanges(source: str) -> Iterator[str]:
    """Yield the exchanges that a module names: texts, also keys and lists in one text, that are ids only.

    Sentences for people may give examples.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = [word for word in re.split(r"[\s,;|]+", node.value) if word]
            if set(words) <= known_exchange_ids():
                yield from words


def test_no_module_but_the_table_names_an_exchange() -> None:
    named = {
        (path.relative_to(ROOT).as_posix(), exchange_id)
        for path in ROOT.rglob("*.py")
        for exchange_id in named_exchanges(path.read_text(encoding="utf-8"))
    }
    assert {name for name in named if name[0] != TABLE} == set(ALLOWED)
    assert len(named) > len(ALLOWED)


@pytest.mark.parametrize(
    "planted",
    [
        'if client.id == "kraken": pass',
        'SLOW = ("kraken", "a word")',
        'LIMITS = {"kraken": 720}',
        'match exchange_id:\n    case "kraken": pass',
        'SLOW = "kraken, okx".split(", ")',
        'def limit(of="kraken"): pass',
        'path = f"{folder}/{x}kraken"',
    ],
)
def test_a_name_outside_the_table_is_noticed(planted: str) -> None:
    assert "kraken" in set(named_exchanges(planted))


@pytest.mark.parametrize("harmless", ['"an id such as kraken"', "kraken = 1", '""', "# kraken"])
def test_what_is_written_for_people_may_name_one(harmless: str) -> None:
    assert list(named_exchanges(harmless)) == []
