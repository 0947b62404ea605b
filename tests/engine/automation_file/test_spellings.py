"""Names, symbols and texts in any script: read as they are, told apart, or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.automation_file import AutomationFileError, load_automation
from engine.errors import StateError
from engine.state import dump_state, load_state
from tests.support.builders import action, automation
from tests.support.scripts import evaluate


def file(**entries: Any) -> str:
    return json.dumps({"name": "bot", "actions": {"a": "1"}, **entries})


def identified(name: str) -> str | None:
    return load_automation(file(name=name)).automation.metadata.automation_id


SYMBOLS = [
    "币安人生/USDT",
    "kPEPE/USDC:USDC",
    "1000SATS/USDT",
    "BTC/USDT:USDT-250328",
    "Ⓐ/USDT",
    "BTC/USD:BTC-250328-50000-C",
]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_symbol_is_what_the_exchange_calls_it(symbol: str) -> None:
    state = load_automation(file(exchange="binance", symbol=symbol, actions={"a": f"price('{symbol}')"}))
    assert state.automation.defaults.symbol == symbol
    assert state.actions[0].dsl_script == f"price('{symbol}')"
    assert load_state(json.loads(json.dumps(dump_state(state)))) == state
    assert evaluate(f"'{symbol}'") == symbol


@pytest.mark.parametrize(
    "symbol", ["btc/usdt", "BTC", "BTC/", "/USDT", "A B/USDT", "A/B/C", "A:B/C", "A\n/USDT", ""]
)
def test_what_no_exchange_lists_is_refused(symbol: str) -> None:
    with pytest.raises(AutomationFileError, match="symbol"):
        load_automation(file(exchange="binance", symbol=symbol))


@pytest.mark.parametrize("name", ["币安人生", "бот", "🚀", "---", "日本"])
def test_a_name_that_makes_no_id_asks_for_one(name: str) -> None:
    with pytest.raises(AutomationFileError, match="give it an `id`"):
        load_automation(file(name=name))
    assert load_automation(file(name=name, id="moon")).automation.metadata.automation_id == "moon"


def test_names_that_differ_in_other_letters_make_different_ids() -> None:
    names = ["DCA 币安人生", "DCA 以太坊", "DCA", "dca бот"]
    assert len({identified(name) for name in names}) == len(names)
    assert identified("Débutant Größe, v2!") == "debutant-grosse-v2"
    assert identified("dip-buyer 🚀") == "dip-buyer"


ROCKET = '"name": "r", "actions": {"a": "\'\\ud83d\\ude80\'"}'


def test_a_character_in_two_halves_is_one() -> None:
    state = load_automation("{" + ROCKET + "}")
    assert state.actions[0].dsl_script == "'🚀'"
    assert (
        load_automation('{"name": "x \\ud83d\\ude80", "actions": {"a": "1"}}').automation.metadata.name
        == "x 🚀"
    )


@pytest.mark.parametrize("half", ["\\ud83d", "\\ude80", "\\ude80\\ud83d"])
@pytest.mark.parametrize(
    "place", ['{"name": "HALF", "actions": {"a": "1"}}', '{"name": "n", "HALF": 1, "actions": {"a": "1"}}']
)
def test_half_a_character_in_a_file_is_refused(place: str, half: str) -> None:
    with pytest.raises(AutomationFileError, match="half of a character"):
        load_automation(place.replace("HALF", half))


def test_half_a_character_in_a_state_is_refused_where_it_is() -> None:
    half = json.loads('"\\ud83d"')
    state = automation(action("a", f"'{half}'"))
    with pytest.raises(StateError, match=r"actions\.0\.dsl_script holds half"):
        load_state(state)
    with pytest.raises(StateError, match="a key of state"):
        load_state(automation(action("a", "1", config={half: 1})))
    whole = json.loads('"\\ud83d\\ude80"')
    assert load_state(automation(action("a", f"'{whole}'"))).actions[0].dsl_script == "'🚀'"
