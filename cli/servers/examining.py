"""The command that finds out why something does not work: doctor."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

import connection
from cli.arguments import JsonFlag
from cli.errors import CommandError, ExitCode
from cli.output import console, print_json
from cli.servers.checks import Finding, Health, account, examine, exchange, machine, server
from cli.writing import as_configured, needs_of, read_automation
from engine.job import Services
from engine.masking import mask, masking
from engine.state import AuthDetails, AutomationState, ExchangeAccountDetails, ExchangeDetails
from engine.types import Symbol
from worker import WorkerSettings

_MARKS: Final[dict[Health, tuple[str, str]]] = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "failed": ("✗", "red"),
}

Named = tuple[str, Finding]


def doctor(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="An automation file, whose account is examined too.")
    ] = None,
    exchange_id: Annotated[
        str | None, typer.Option("--exchange", metavar="ID", help="Without a file: an exchange to examine.")
    ] = None,
    credentials: Annotated[
        str | None, typer.Option(metavar="REF", help="With --exchange: its keys, such as env:BINANCE.")
    ] = None,
    sandboxed: Annotated[
        bool, typer.Option("--sandboxed", help="With --exchange: its test network.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Check this machine, the Temporal server and an exchange account, and say what to do about each problem.

    Nothing is changed, and nothing is sent to the exchange but questions.
    """
    state = as_configured(read_automation(file)) if file is not None else None
    details = _account(state, exchange_id, credentials, sandboxed=sandboxed)
    with masking():
        findings = asyncio.run(_examine(details, _symbols(state)))
        masked = [(name, _masked(finding)) for name, finding in findings]
    if as_json:
        print_json([_in_json(name, finding) for name, finding in masked])
    else:
        _print(masked)
    if any(finding.health == "failed" for _, finding in masked):
        raise typer.Exit(ExitCode.FAILED)


def _account(
    state: AutomationState | None, exchange_id: str | None, credentials: str | None, *, sandboxed: bool
) -> ExchangeAccountDetails | None:
    """Return the account to examine.

    Raises:
        CommandError: the options do not fit each other.
    """
    if state is not None and exchange_id is not None:
        raise CommandError("give either a file or --exchange, not both.", ExitCode.WRONG_INPUT)
    if exchange_id is None and (credentials is not None or sandboxed):
        raise CommandError("--credentials and --sandboxed need --exchange.", ExitCode.WRONG_INPUT)
    if exchange_id is not None:
        return ExchangeAccountDetails(
            exchange_details=ExchangeDetails(internal_name=exchange_id, sandboxed=sandboxed),
            auth_details=AuthDetails(credential_ref=credentials),
        )
    return state.exchange_account_details if state is not None else None


def _symbols(state: AutomationState | None) -> list[Symbol]:
    return sorted({need.symbol for need in needs_of(state)}) if state is not None else []


async def _examine(details: ExchangeAccountDetails | None, symbols: Sequence[Symbol]) -> list[Named]:
    settings = connection.load_settings()
    services = Services()
    findings = await examine("machine", machine.this_machine(settings), machine.CHECKS)
    findings += await examine("Temporal server", server.the_server(settings), server.CHECKS)
    if details is None or not details.has_exchange:
        return findings
    public = exchange.public_side(details.exchange_details, symbols, services.market_source)
    findings += await examine("exchange", public, exchange.CHECKS)
    if not details.is_simulated:
        allowed = connection.read_settings(WorkerSettings).allow_transfers
        private = account.private_side(details, services.live_exchange, transfers_allowed=allowed)
        findings += await examine("account", private, account.CHECKS)
    return findings


def _masked(finding: Finding) -> Finding:
    advice = mask(finding.advice) if finding.advice is not None else None
    return Finding(finding.health, mask(finding.says), advice)


def _in_json(name: str, finding: Finding) -> dict[str, Any]:
    return {"check": name, "health": finding.health, "says": finding.says, "advice": finding.advice}


def _print(findings: Sequence[Named]) -> None:
    width = max(len(name) for name, _ in findings)
    output = console()
    for name, finding in findings:
        sign, style = _MARKS[finding.health]
        line = Text.assemble((f"{sign} ", style), (f"{name.ljust(width)}  ", "bold"), finding.says)
        output.print(line, soft_wrap=True)
        if finding.advice is not None:
            output.print(Text(f"  {' ' * width}  {finding.advice}", style="dim"), soft_wrap=True)
    counts = {health: sum(found.health == health for _, found in findings) for health in _MARKS}
    output.print(Text(f"{counts['ok']} ok, {counts['warning']} to look at, {counts['failed']} failed"))
