"""A live account is shown with the plan, and a person is asked, before anything is started on it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import typer

from cli.errors import CommandError
from cli.running.consent import require_consent
from cli.writing.overlay import Overlay
from cli.writing.planning import plan_of
from engine.automation_file.compile import load_automation
from engine.job.services import Services
from engine.state import AutomationState, Order
from engine.types import Asset
from tests.cli.conftest import Octoflow
from tests.support.memory_exchange import MemoryExchange

LIVE = """
name: bot
exchange: {id: binance}
credentials: env:CANARY
actions:
  buy: limit('buy', 'BTC/USDT', '10%', '-2%')
"""


SOMEBODY_S_ORDER = Order(
    id="", symbol="BTC/USDT", side="buy", type="limit", amount=Decimal("0.0125"), price=Decimal(40_000)
)


class Person:
    """Answers what is asked, and remembers it."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def __call__(self, question: str) -> bool:
        self.asked.append(question)
        return self.answer


@pytest.fixture
def exchange() -> MemoryExchange:
    return MemoryExchange({"BTC/USDT": 50_000}, {"USDT": 2_500, "BTC": 1, "DOGE": 7})


def services(exchange: MemoryExchange) -> Services:
    return Services(live_exchange=exchange.open, market_source=lambda _: exchange.market)


def automation(text: str = LIVE) -> AutomationState:
    return load_automation(text, source_name="bot.yaml")


async def test_the_account_and_the_plan_are_shown_before_the_question(
    exchange: MemoryExchange, capsys: pytest.CaptureFixture[str]
) -> None:
    person = Person(answer=True)
    await require_consent(automation(), person, services(exchange))
    shown = capsys.readouterr().out

    assert person.asked == ["Start trading with real funds on binance?"]
    assert "env:CANARY" in shown
    balances, _, plan = shown.partition("One invocation")
    assert ["USDT", "2500", "2500"] in [line.split() for line in balances.splitlines()]
    assert "DOGE" not in balances
    assert "49000" in plan
    assert "would wait for its price" in plan


async def test_only_questions_reach_the_exchange(exchange: MemoryExchange) -> None:
    await require_consent(automation(), Person(answer=True), services(exchange))

    assert exchange.sent == []
    assert dict(exchange.requests) == {"portfolio": 1}
    assert exchange.opened == exchange.closed == 1


async def test_who_declines_has_started_nothing(
    exchange: MemoryExchange, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        await require_consent(automation(), Person(answer=False), services(exchange))
    assert ended.value.exit_code == 1
    assert "Nothing was started." in capsys.readouterr().out


async def test_a_sandbox_is_named_as_such(exchange: MemoryExchange) -> None:
    person = Person(answer=True)
    sandboxed = automation(LIVE.replace("{id: binance}", "{id: binance, sandboxed: true}"))
    await require_consent(sandboxed, person, services(exchange))
    assert person.asked == ["Start trading with test funds on binance (sandbox)?"]


@pytest.mark.parametrize(
    "text",
    ["name: bot\nactions: {a: 1 + 1}\n", LIVE.replace("credentials: env:CANARY\n", "")],
    ids=["no exchange", "paper"],
)
async def test_nobody_is_asked_where_no_funds_are_at_stake(exchange: MemoryExchange, text: str) -> None:
    await require_consent(automation(text), None, services(exchange))
    assert exchange.opened == 0


async def test_where_nobody_can_be_asked_the_way_out_is_told(exchange: MemoryExchange) -> None:
    with pytest.raises(CommandError, match="--yes") as refused:
        await require_consent(automation(), None, services(exchange))
    assert refused.value.exit_code == 2
    assert exchange.opened == 0


async def test_a_plan_of_a_live_account_starts_with_what_is_available_on_it(exchange: MemoryExchange) -> None:
    exchange.accept(SOMEBODY_S_ORDER)
    planned = await plan_of(automation(), Overlay(None, None, 1, None), services(exchange))

    (order,) = planned.account.orders.open_orders
    assert order.amount == Decimal("0.004")  # for a tenth of 2000 USDT
    assert planned.account.portfolio.content[Asset("USDT")].total == 2_000


CONFIGURED = """
name: bot
actions:
  setup:
    action: apply_configuration
    config:
      automation: {metadata: {emit_signals: true}}
      exchange_account_details:
        exchange_details: {internal_name: binance}
        auth_details: {credential_ref: "env:CANARY"}
  buy: {run: "limit('buy', 'BTC/USDT', '10%', '-2%')", after: setup}
"""


@pytest.mark.parametrize(
    "text", [CONFIGURED, f"exchange: binance\n{CONFIGURED}"], ids=["anew", "over one on paper"]
)
async def test_an_account_that_an_action_configures_is_asked_about_too(
    exchange: MemoryExchange, text: str
) -> None:
    person = Person(answer=True)
    await require_consent(automation(text), person, services(exchange))
    assert person.asked == ["Start trading with real funds on binance?"]


async def test_a_configuration_does_not_make_a_paper_copy_live(exchange: MemoryExchange) -> None:
    planned = await plan_of(automation(CONFIGURED), Overlay(None, None, 1, None), services(exchange))

    assert [action.id for action in planned.state.actions if action.is_completed] == ["setup", "buy"]
    assert planned.state.exchange_account_details is not None
    assert planned.state.exchange_account_details.is_simulated
    assert not planned.state.automation.metadata.emit_signals
    assert exchange.sent == []


@pytest.fixture
def live_file(tmp_path: Path) -> str:
    file = tmp_path / "bot.yaml"
    file.write_text(LIVE)
    return str(file)


@pytest.mark.parametrize("verb", ["run", "start"])
def test_without_a_terminal_a_live_account_needs_the_option(
    octoflow: Octoflow, live_file: str, verb: str, octoflow_home: Path
) -> None:
    octoflow.fails(verb, live_file, code=2, saying=["binance", "--yes", "octoflow plan"])
    octoflow.fails(verb, live_file, "--json", code=2, saying=["--yes"])
    assert not octoflow_home.exists()


def test_with_the_option_nobody_is_asked(octoflow: Octoflow, live_file: str) -> None:
    octoflow.fails("start", live_file, "--yes", code=3, saying=["octoflow server"])


def test_credentials_that_are_not_there_are_named(
    octoflow: Octoflow, live_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CANARY_API_KEY", raising=False)
    octoflow.fails("plan", live_file, code=2, saying=["env:CANARY", "CANARY_API_KEY"])
