"""The command that looks ahead: plan."""

from __future__ import annotations

import asyncio

import connection
from cli.arguments import FileArgument, JsonFlag
from cli.errors import CommandError
from cli.output import console, print_json
from cli.writing.file_input import read_automation
from cli.writing.lookahead import (
    Plan,
    as_configured,
    in_json,
    live_account,
    look_ahead,
    on_paper,
    picture,
    real_balances,
)
from cli.writing.overlay import DEFAULT_SPEED, MarketOption, Overlay, StartOption
from engine.job import Services
from engine.state import AutomationState


def plan(
    file: FileArgument, market: MarketOption = None, start: StartOption = None, as_json: JsonFlag = False
) -> None:
    """Show what one invocation would do, on a paper copy of the account: nothing is sent, nothing is kept.

    The copy of a live account starts with what is available on it, unless a recorded market is replayed.
    """
    overlay = Overlay(market, start, DEFAULT_SPEED, None)
    looked_ahead = asyncio.run(plan_of(read_automation(file), overlay, Services()))
    if as_json:
        print_json(in_json(looked_ahead))
    else:
        console().print(picture(looked_ahead))
    if looked_ahead.failing:
        raise CommandError(f"these actions would fail: {', '.join(looked_ahead.failing)}.")


async def plan_of(state: AutomationState, overlay: Overlay, services: Services) -> Plan:
    """Return what one invocation would make of an automation.

    Raises:
        CommandError: the overlay does not fit.
        ConfigurationError: the market or the account cannot be used.
        RetryableError: the exchange does not answer.
    """
    configured = as_configured(state)
    details = live_account(configured) if overlay.market is None else None
    if details is not None:
        paper = on_paper(configured, await real_balances(details, services))
    else:
        paper = on_paper(state)
    paper, _ = await overlay.apply(paper, connection.load_settings())
    return await look_ahead(paper, services)
