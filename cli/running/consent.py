"""Asks before an automation trades with real funds: shows the account, and what would be done first."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

import typer
from rich.console import Console
from rich.text import Text

from cli.errors import CommandError, ExitCode
from cli.output import console, table
from cli.writing import (
    as_configured,
    balance_rows,
    live_account,
    look_ahead,
    needs_of,
    on_paper,
    picture,
    real_balances,
)
from engine.job import Services
from engine.state import AutomationState, ExchangeAccountDetails, Portfolio
from engine.types import Asset

Ask = Callable[[str], bool]
"""Puts a question to a person; gives the answer."""

MAX_ASSETS: Final = 12


def asking_on_terminal(*, as_json: bool) -> Ask | None:
    """Return how to ask the person at this terminal; None when nobody sits there, or a program listens."""
    if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    return lambda question: typer.confirm(question, default=False)


async def require_consent(state: AutomationState, ask: Ask | None, services: Services | None = None) -> None:
    """Go on only if the automation is on paper, or a person wants it to trade with real funds.

    Nothing is started and nothing is sent to the exchange but questions.

    Args:
        state: of an automation that is to be started.
        ask: how to ask; None when there is nobody.
        services: how to reach the exchange.

    Raises:
        CommandError: nobody can be asked.
        typer.Exit: the person does not want it.
        ConfigurationError: the account cannot be used.
        RetryableError: the exchange does not answer.
    """
    state = as_configured(state)
    details = live_account(state)
    if details is None:
        return
    account = _named(details)
    if ask is None:
        raise CommandError(
            f"this would trade on {account}, and nobody can be asked: add --yes to start it anyway. "
            "`octoflow plan` shows what it would do first.",
            ExitCode.WRONG_INPUT,
        )
    await _show(state, details, services or Services(), console())
    funds = "test funds" if details.exchange_details.sandboxed else "real funds"
    if not ask(f"Start trading with {funds} on {account}?"):
        console().print("Nothing was started.")
        raise typer.Exit(ExitCode.FAILED)


async def _show(
    state: AutomationState, details: ExchangeAccountDetails, services: Services, output: Console
) -> None:
    balances = await real_balances(details, services)
    plan = await look_ahead(on_paper(state, balances), services)
    key = details.auth_details.credential_ref or "keys in the state"
    output.print(Text(f"{_named(details)}, with the key {key}", style="bold"))
    rows = balance_rows(_relevant(balances, state))
    output.print(
        table("Balances", ["asset", "total", "available"], rows) if rows else "The account is empty."
    )
    output.print("", picture(plan), "")


def _named(details: ExchangeAccountDetails) -> str:
    exchange = details.exchange_details
    kind = f" {exchange.exchange_type}s" if exchange.exchange_type == "future" else ""
    return f"{exchange.internal_name}{kind}{' (sandbox)' if exchange.sandboxed else ''}"


def _relevant(balances: Portfolio, state: AutomationState) -> Portfolio:
    """Return the balances of what the automation trades, as far as that is known; else the first ones."""
    traded = {Asset(asset) for need in needs_of(state) for asset in need.symbol.partition(":")[0].split("/")}
    shown = {asset: held for asset, held in balances.content.items() if not traded or asset in traded}
    return Portfolio(content=dict(list(shown.items())[:MAX_ASSETS]))
