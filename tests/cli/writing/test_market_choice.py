"""`--market` finds candles where there are some, and lays them over an automation."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.errors import CommandError
from cli.writing import market_choice
from cli.writing.market_choice import MarketChoice, Need, choose_market, lay_over, needs_of
from engine.automation_file.compile import load_automation
from engine.errors import ConfigurationError, RetryableError
from engine.market import list_recorded
from engine.state import AutomationState
from engine.types import Symbol, TimeFrame
from tests.conftest import SAMPLE_MARKET

BOT = """
name: bot
exchange: binance
symbol: BTC/USDT
time_frame: 4h
actions:
  a: rsi(close, 14)[-1] < 30
  b: market('buy', 'ETH/USDT', '10q') if $a else None
"""


@pytest.fixture
def bot() -> AutomationState:
    return load_automation(BOT)


async def _unreachable(*_: object, **__: object) -> None:
    raise RetryableError("no network")


def test_what_scripts_read_is_known_before_they_run(bot: AutomationState) -> None:
    needs = needs_of(bot)
    assert Need(Symbol("BTC/USDT"), TimeFrame("4h")) in needs
    assert "ETH/USDT" in {need.symbol for need in needs}


class TestChoice:
    async def test_a_named_folder_comes_first(
        self, bot: AutomationState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OCTOFLOW_MARKET_DATA", "/elsewhere")
        choice = await choose_market(str(tmp_path), bot, tmp_path)
        assert choice.folder == tmp_path

    async def test_auto_takes_the_folder_of_the_environment(
        self, bot: AutomationState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OCTOFLOW_MARKET_DATA", str(tmp_path))
        assert (await choose_market("auto", bot, tmp_path)).folder == tmp_path

    async def test_auto_fetches_candles_where_the_network_allows(
        self, bot: AutomationState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[tuple[object, ...]] = []

        async def fetch(*arguments: object, **_: object) -> None:
            asked.append(arguments)

        monkeypatch.delenv("OCTOFLOW_MARKET_DATA", raising=False)
        monkeypatch.setattr(market_choice, "fetch_recording", fetch)
        choice = await choose_market("auto", bot, tmp_path)
        assert "fetched just now" in choice.description
        (arguments,) = asked
        assert arguments[:3] == ("binance", ["BTC/USDT", "ETH/USDT"], "4h")
        assert choice.folder == arguments[4]

    async def test_auto_falls_back_to_the_sample_market_and_says_that_it_is_synthetic(
        self, bot: AutomationState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("OCTOFLOW_MARKET_DATA", raising=False)
        monkeypatch.setattr(market_choice, "fetch_recording", _unreachable)
        choice = await choose_market("auto", bot, tmp_path)
        assert choice.folder == SAMPLE_MARKET
        assert "synthetic" in choice.description

    async def test_a_folder_that_does_not_exist_is_named(self, bot: AutomationState, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="nowhere"):
            await choose_market(str(tmp_path / "nowhere"), bot, tmp_path)

    async def test_an_automation_without_an_exchange_has_no_market(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="exchange"):
            await choose_market("auto", load_automation("name: b\nactions: {a: '1'}"), tmp_path)

    async def test_a_live_account_is_never_put_on_a_recording(self, tmp_path: Path) -> None:
        live = load_automation("name: b\nexchange: binance\ncredentials: env:BINANCE\nactions: {a: '1'}")
        with pytest.raises(CommandError, match="simulated"):
            await choose_market("auto", live, tmp_path)


class TestOverlay:
    def test_the_start_leaves_history_for_indicators(self, bot: AutomationState) -> None:
        laid, start = lay_over(bot, MarketChoice(SAMPLE_MARKET, "sample"), None, 60)
        assert laid.exchange_account_details is not None
        recorded = laid.exchange_account_details.exchange_details.recorded
        assert recorded is not None
        assert (recorded.folder, recorded.start, recorded.speed) == (str(SAMPLE_MARKET), start, 60)
        recordings = list_recorded(SAMPLE_MARKET, "binance")
        first = max(recording.range()[0] for recording in recordings if recording.time_frame == "4h")
        assert start == first + 100 * 4 * 3600

    def test_the_original_is_not_changed(self, bot: AutomationState) -> None:
        before = bot.model_copy(deep=True)
        lay_over(bot, MarketChoice(SAMPLE_MARKET, "sample"), None, 60)
        assert bot == before

    def test_the_start_can_be_given(self, bot: AutomationState) -> None:
        choice = MarketChoice(SAMPLE_MARKET, "sample")
        assert lay_over(bot, choice, "2024-02-01T12:00:00Z", 1)[1] == 1706788800
        assert lay_over(bot, choice, "1706788800", 1)[1] == 1706788800
        with pytest.raises(CommandError, match="--start"):
            lay_over(bot, choice, "soon", 1)

    def test_a_symbol_without_candles_is_named_with_what_there_is(self) -> None:
        bot = load_automation("name: b\nexchange: binance\nactions: {a: price('DOGE/USDT')}")
        with pytest.raises(ConfigurationError, match=r"DOGE/USDT.*BTC/USDT"):
            lay_over(bot, MarketChoice(SAMPLE_MARKET, "sample"), None, 1)
