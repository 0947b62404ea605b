"""Commands that decide about effects on a live account: approve, reject, resolve."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from cli.arguments import AutomationId, JsonFlag
from cli.errors import CommandError, ExitCode, talking_to
from cli.output import print_json, print_lines
from cli.running.sending import print_report, reach_automation
from engine.job import PendingEffect, shown
from engine.state import load_state
from workflows.automation import Automation
from workflows.client import send_update
from workflows.messages import ApproveRequest, RejectRequest, ResolveRequest, StatusReport

Keys = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY]...", help="Keys of effects, as `octoflow show` has them; none: all."),
]


def approve(automation_id: AutomationId, keys: Keys = None, as_json: JsonFlag = False) -> None:
    """Allow effects that wait for approval to be sent."""
    effects, report = asyncio.run(_approve(automation_id, keys or []))
    _print(automation_id, "approved", effects, report, as_json=as_json)


def reject(
    automation_id: AutomationId,
    keys: Keys = None,
    reason: Annotated[str, typer.Option(help="Why; the script gets this as its error.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Refuse effects that wait for approval: their actions end with the error `rejected_by_user`."""
    effects, report = asyncio.run(_reject(automation_id, keys or [], reason))
    _print(automation_id, "rejected", effects, report, as_json=as_json)


def resolve(
    automation_id: AutomationId,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key of the effect; `octoflow show` has it.")],
    placed: Annotated[
        bool | None,
        typer.Option(
            "--placed/--absent",
            help="placed: the exchange has it, and it is taken over. "
            "absent: it has not, and its call is evaluated again.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what became of an effect that no look-up settles, after looking on the exchange's own page."""
    if placed is None:
        raise CommandError(
            "say what you found on the exchange: --placed if it is there, --absent if not.",
            ExitCode.WRONG_INPUT,
        )
    effects, report = asyncio.run(_resolve(automation_id, key, placed=placed))
    word = "resolved as placed" if placed else "resolved as absent"
    _print(automation_id, word, effects, report, as_json=as_json)


async def _approve(automation_id: str, keys: list[str]) -> tuple[list[PendingEffect], StatusReport]:
    effects = await _waiting(automation_id, keys)
    return effects, await _decide(automation_id, Automation.approve, ApproveRequest(keys=_keys(effects)))


async def _reject(
    automation_id: str, keys: list[str], reason: str
) -> tuple[list[PendingEffect], StatusReport]:
    effects = await _waiting(automation_id, keys)
    request = RejectRequest(keys=_keys(effects), reason=reason)
    return effects, await _decide(automation_id, Automation.reject, request)


async def _resolve(automation_id: str, key: str, *, placed: bool) -> tuple[list[PendingEffect], StatusReport]:
    effects = _named(automation_id, await _effects(automation_id), [key])
    request = ResolveRequest(key=effects[0].key, placed=placed)
    return effects, await _decide(automation_id, Automation.resolve, request)


async def _decide(automation_id: str, update: Any, request: Any) -> StatusReport:
    handle = await reach_automation(automation_id)
    with talking_to(automation_id):
        report: StatusReport = await send_update(handle, update, request)
        return report


async def _effects(automation_id: str) -> list[PendingEffect]:
    handle = await reach_automation(automation_id)
    with talking_to(automation_id):
        state = load_state(await handle.query(Automation.state))
    return shown(state.automation.execution.pending_effects)


async def _waiting(automation_id: str, keys: list[str]) -> list[PendingEffect]:
    """Return the effects that are decided about: the named ones, else all that wait now, and no later one."""
    effects = await _effects(automation_id)
    if keys:
        return _named(automation_id, effects, keys)
    waiting = [effect for effect in effects if effect.status == "awaiting_approval"]
    if not waiting:
        raise CommandError(f"nothing of {automation_id} waits for approval.")
    return waiting


def _named(automation_id: str, effects: list[PendingEffect], keys: list[str]) -> list[PendingEffect]:
    """Return the effects that keys, or their beginnings, name."""
    named = {effect.key: effect for key in keys for effect in _meant(automation_id, effects, key)}
    return list(named.values())


def _meant(automation_id: str, effects: list[PendingEffect], key: str) -> list[PendingEffect]:
    meant = [effect for effect in effects if effect.key.startswith(key)]
    if len(meant) != 1:
        found = f"{len(meant)} effects whose keys begin with" if meant else "no effect under way with the key"
        raise CommandError(
            f"{automation_id} has {found} {key!r}; `octoflow show {automation_id}` lists them."
        )
    return meant


def _keys(effects: list[PendingEffect]) -> list[str]:
    return [effect.key for effect in effects]


def _print(
    automation_id: str, word: str, effects: list[PendingEffect], report: StatusReport, *, as_json: bool
) -> None:
    if as_json:
        decided = [effect.model_dump(mode="json") for effect in effects]
        shown_report = report.model_dump(mode="json", exclude={"details"})
        print_json({"automation_id": automation_id, "decision": word, "effects": decided, **shown_report})
        return
    print_lines(f"{word}: {effect.what} ({effect.action_id}, {effect.key})" for effect in effects)
    print_report(automation_id, report, as_json=False)
