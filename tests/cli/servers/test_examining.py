"""`octoflow doctor` says in plain words what is wrong, and what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from cli.servers.checks import Check, Finding, account, examine, exchange, ok, server
from connection import Settings
from engine.errors import PostponedError, RetryableError
from engine.exchanges.key_rights import KeyRights
from engine.market.market import Bounds, generic_market
from engine.state import AuthDetails, ExchangeAccountDetails, ExchangeDetails
from engine.types import Symbol
from tests.cli.conftest import Octoflow
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import BTC, MemoryMarket
from tests.support.temporal import development_server

CANARY = "canary-secret"
SAFE = KeyRights(read=True, trade=True, withdraw=False, ip_restricted=True)


class Examined(MemoryExchange):
    """An account whose key and clock a test sets."""

    def __init__(self, rights: KeyRights = SAFE, difference: float = 0.012) -> None:
        super().__init__()
        self.rights = rights
        self.difference = difference

    async def key_rights(self) -> KeyRights:
        self._read("key_rights")
        return self.rights

    async def clock_difference(self) -> float:
        return self.difference


async def examined(exchange: Examined, *, transfers_allowed: bool = False) -> list[tuple[str, Finding]]:
    details = ExchangeAccountDetails(
        exchange_details=ExchangeDetails(internal_name="binance"),
        auth_details=AuthDetails(credential_ref="env:CANARY"),
    )
    opened = account.private_side(details, exchange.open, transfers_allowed=transfers_allowed)
    return await examine("account", opened, account.CHECKS)


def about(findings: Sequence[tuple[str, Finding]], words: str) -> Finding:
    (found,) = [finding for _, finding in findings if words in finding.says]
    return found


class TestAccount:
    async def test_a_sound_account_asks_for_nothing(self) -> None:
        sound = Examined()
        findings = await examined(sound)

        assert {finding.health for _, finding in findings} == {"ok"}
        assert about(findings, "12 ms ahead of binance's").advice is None
        assert about(findings, "2 assets: BTC, USDT")
        assert sound.sent == []
        assert sound.opened == sound.closed == 1

    @pytest.mark.parametrize(
        ("rights", "words", "health"),
        [
            (replace(SAFE, trade=False), "may not trade", "failed"),
            (replace(SAFE, read=False), "may not read", "failed"),
            (replace(SAFE, withdraw=True), "may withdraw", "failed"),
            (replace(SAFE, withdraw=None), "does not tell whether the key may withdraw", "warning"),
            (replace(SAFE, ip_restricted=False), "works from any address", "warning"),
            (replace(SAFE, trade=None), "does not tell whether the key may trade", "ok"),
        ],
    )
    async def test_what_the_key_may_do_too_much_or_too_little(
        self, rights: KeyRights, words: str, health: str
    ) -> None:
        found = about(await examined(Examined(rights)), words)
        assert found.health == health
        assert (found.advice is not None) == (health != "ok")

    async def test_a_key_may_withdraw_where_workers_allow_transfers(self) -> None:
        findings = await examined(Examined(replace(SAFE, withdraw=True)), transfers_allowed=True)
        assert about(findings, "may withdraw").health == "warning"

    @pytest.mark.parametrize(
        ("difference", "words", "health"),
        [
            (-0.4, "400 ms behind binance's", "ok"),
            (2.5, "2,500 ms ahead of binance's", "warning"),
            (-60, "60,000 ms behind binance's: orders are held back", "failed"),
        ],
    )
    async def test_how_far_the_clock_is_off_and_what_it_means(
        self, difference: float, words: str, health: str
    ) -> None:
        assert about(await examined(Examined(difference=difference)), words).health == health

    async def test_a_check_that_fails_does_not_keep_the_others_from_running(self) -> None:
        silent = Examined()
        silent.read_error = RetryableError("binance does not answer")
        findings = await examined(silent)

        assert [(name, finding.health) for name, finding in findings] == [
            ("clock", "ok"),
            ("key", "failed"),
            ("balances", "failed"),
        ]
        assert "Try again" in (findings[1][1].advice or "")

    async def test_refused_credentials_are_told_in_the_exchange_s_words(self) -> None:
        refusing = Examined()
        refusing.read_error = PostponedError("binance refuses the key", reason="authentication")
        assert about((await examined(refusing))[1:2], "binance refuses the key").health == "failed"


def public(
    exchange_id: str = "binance", *symbols: str, market: MemoryMarket | None = None
) -> Sequence[tuple[str, Finding]]:
    details = ExchangeDetails(internal_name=exchange_id)
    source = market or MemoryMarket({"BTC/USDT": 50_000})

    async def look() -> Sequence[tuple[str, Finding]]:
        opened = exchange.public_side(details, [Symbol(symbol) for symbol in symbols], lambda _: source)
        return await examine("exchange", opened, exchange.CHECKS)

    return asyncio.run(look())


class TestExchange:
    def test_the_limits_of_the_automation_s_markets_are_told(self) -> None:
        rules = replace(
            generic_market(BTC),
            amount=Bounds(Decimal("0.00001")),
            cost=Bounds(Decimal(5)),
            amount_tick=Decimal("0.00001"),
            price_tick=Decimal("0.01"),
        )
        market = MemoryMarket({"BTC/USDT": 50_000}, markets=[rules])
        found = about(public("binance", "BTC/USDT", market=market), "BTC/USDT")

        assert found == ok(
            "BTC/USDT: at least 0.00001 BTC and 5 USDT an order; amounts in steps of 0.00001 BTC, prices of "
            "0.01 USDT; fees 0.1 % as maker, 0.1 % as taker"
        )
        assert market.closed

    def test_a_market_that_is_not_there_is_named_with_its_neighbours(self) -> None:
        found = about(public("binance", "BTC/USD"), "no spot market BTC/USD")
        assert (found.health, found.advice) == ("failed", "Did you mean BTC/USDT?")

    def test_what_the_exchange_can_do_for_orders_is_told(self) -> None:
        assert about(public(), "by their client id, one by one").health == "ok"
        assert about(public(), "watches stop prices itself").health == "ok"
        assert "about 20 requests a second" in about(public(), "from one address").says

    def test_what_an_exchange_cannot_do_is_a_warning_with_the_way_out(self) -> None:
        findings = public("whitebit")
        assert "octoflow resolve" in (about(findings, "no certain way to look an order up").advice or "")

    def test_an_exchange_that_nobody_knows_is_one_finding(self) -> None:
        ((name, found),) = public("bimance")
        assert (name, found.health) == ("exchange", "failed")
        assert "knows no exchange `bimance`" in found.says


class TestServer:
    async def test_a_server_that_works_is_told_as_such(
        self, temporal_binary: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with development_server(temporal_binary) as running:
            monkeypatch.setenv("TEMPORAL_ADDRESS", running.client.service_client.config.target_host)
            findings = await examine("Temporal server", server.the_server(Settings()), server.CHECKS)

        assert [(name, finding.health) for name, finding in findings] == [
            ("Temporal server", "ok"),
            ("search attributes", "ok"),
            ("worker", "failed"),
        ]
        assert "octoflow worker" in (findings[-1][1].advice or "")

    def test_no_server_on_this_machine_is_only_a_warning(self, octoflow: Octoflow) -> None:
        ran = octoflow("doctor")
        assert ran.exit_code == 0, ran
        assert "no Temporal server is running on this machine" in ran.out
        assert "`octoflow run` starts one" in ran.out

    def test_a_configured_server_that_does_not_answer_is_a_failure(
        self, octoflow: Octoflow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
        ran = octoflow("doctor")
        assert ran.exit_code == 1
        assert "no Temporal server answers at 127.0.0.1:9" in ran.out


class TestCommand:
    def test_programs_get_the_findings_as_json(self, octoflow: Octoflow) -> None:
        findings = octoflow("doctor", "--json").json
        assert {finding["check"]: finding["health"] for finding in findings} == {
            "versions": "ok",
            "data folder": "ok",
            "encryption": "ok",
            "Temporal server": "warning",
        }

    def test_a_data_folder_that_cannot_be_made_is_a_failure(
        self, octoflow: Octoflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "file"
        file.write_text("")
        monkeypatch.setenv("OCTOFLOW_HOME", str(file / "home"))
        ran = octoflow("doctor")
        assert ran.exit_code == 1
        assert "OCTOFLOW_HOME" in ran.out

    def test_states_that_a_server_of_others_can_read_are_a_warning(
        self, octoflow: Octoflow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
        assert "OCTOFLOW_ENCRYPTION_KEY" in octoflow("doctor").out

    def test_a_key_that_cannot_be_used_is_a_failure_that_does_not_show_it(
        self, octoflow: Octoflow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OCTOFLOW_ENCRYPTION_KEY", CANARY)
        ran = octoflow("doctor")
        assert ran.exit_code == 1
        assert "✗ encryption" in ran.out
        assert CANARY not in ran.out + ran.err

    @pytest.mark.parametrize(
        "arguments", [["--credentials", "env:X"], ["--sandboxed"], ["bot.yaml", "--exchange", "binance"]]
    )
    def test_options_that_do_not_fit_are_refused(
        self, octoflow: Octoflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("bot.yaml").write_text("name: bot\nexchange: binance\nactions: {a: '1'}\n")
        octoflow.fails("doctor", *arguments, code=2, saying=["--exchange"])


async def test_a_subject_is_left_even_when_a_check_raises() -> None:
    left = False

    @asynccontextmanager
    async def subject() -> AsyncIterator[str]:
        nonlocal left
        yield "it"
        left = True

    async def look(_: str) -> Sequence[Finding]:
        raise ZeroDivisionError

    ((name, found),) = await examine("opening", subject(), [Check("one", look)])
    assert (name, found.health, left) == ("one", "failed", True)
