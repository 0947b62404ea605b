"""The actions of an automation of OctoBot, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from engine.automation_file.octobot.account import is_live, read_details, read_portfolio
from engine.automation_file.octobot.reading import Part, is_empty, shown
from engine.automation_file.octobot.recalls import RECALLING, Recall, is_recall, read_recall, standing
from engine.dsl import compile_script
from engine.errors import ActionStatus, DslError
from engine.operators import default_registry
from engine.state import APPLY_CONFIGURATION, Action, Dependency, ExchangeAccountDetails, Holding
from engine.types import ActionId
from engine.values import decode_value, encode_value

_STATUSES: Final[Mapping[str, ActionStatus]] = {
    **{status.value: status for status in ActionStatus},
    "unsupported_hedge_position": ActionStatus.INCOMPATIBLE_TRADING_TYPE,
    "blockchain_wallet_error": ActionStatus.INTERNAL_ERROR,
}

_LEFT: Final[Mapping[str, str | None]] = {
    "resolved_dsl_script": None,
    "previous_execution_result": None,
}

_UNSET: Final = "an initial configuration sets metadata and the account here: not kept"

ELEMENTS: Final = ("exchange_account_elements", "client_exchange_account_elements")
"""Names of the account elements, the present one first."""


def read_actions(parts: Sequence[Part], credentials: str | None) -> list[Action]:
    """Return the actions that are either a script or the configured step that there is."""
    actions: list[Action] = []
    for part in parts:
        action = _read(part, credentials)
        if action is None:
            continue
        if any(action.id == other.id for other in actions):
            part.note("id", f"another action has the id {shown(action.id)}: not kept")
            continue
        actions.append(action)
    return actions


def resume(part: Part, action: Action, others: Mapping[str, Action]) -> None:
    """Let an action that waits go on where it stands, or at least when it is due.

    Args:
        part: the action in the source.
        action: the same here, changed in place.
        others: all actions by id, for the values that the script was bound to.
    """
    asked = _asked(part, action)
    if asked is None:
        return
    where, recall = asked
    action.executed_at = action.result = None
    if recall.due is None:
        part.note(where, f"when {recall.keyword}() is due is not told: the script begins anew, at once")
        return
    action.not_before = recall.due
    if recall.reset_to_id not in (None, action.id):
        part.note(
            where, f"it was to start {shown(recall.reset_to_id or '')} again: its own script runs when due"
        )
        return
    references, parameters = _bound(action, others)
    stands = standing(action.dsl_script or "", recall, references, parameters)
    if stands.may_repeat and recall.rest is not None:
        rest = standing(recall.rest, recall, references, parameters)
        if rest.suspension is not None:
            part.note(
                "dsl_script",
                "it did its work before it waited; what was left is kept of it: "
                f"{shown(recall.rest)}. Give it the whole script again if it is to run again",
            )
            action.dsl_script, stands = recall.rest, rest
    action.suspension = stands.suspension
    if stands.suspension is None:
        warning = "; what it did happens AGAIN then, so change it first" if stands.may_repeat else ""
        part.note(where, f"{stands.trouble}: due when it was, the script begins anew then{warning}")


def check_scripts(parts: Mapping[str, Part], actions: Mapping[str, Action]) -> None:
    """Note the scripts that will fail here, and edges that lead nowhere."""
    for action in actions.values():
        part = parts[action.id]
        for edge in action.dependencies:
            if edge.action_id not in actions:
                part.note(
                    "dependencies", f"there is no action {shown(edge.action_id)}: add it, or remove the edge"
                )
        if action.dsl_script is None or action.is_completed:
            continue
        try:
            compile_script(action.dsl_script, default_registry())
        except DslError as error:
            hint = f" {error.suggestion}" if error.suggestion else ""
            part.note("dsl_script", f"it will fail here, change it before it runs: {error.message}{hint}")


def _read(part: Part, credentials: str | None) -> Action | None:
    identity, script, step = part.name("id"), part.text("dsl_script"), part.text("action")
    if identity is None or (script is None and step is None):
        missing = "an id" if identity is None else "a script or a configured step"
        part.note("", f"an action without {missing}: not kept")
        return None
    if script is not None and step is not None:
        part.note("action", "the action has a script, which is what OctoBot runs: not kept")
        step = None
    config = part.part("config")
    configures = step == APPLY_CONFIGURATION
    if step is not None and not configures:
        part.note("action", f"{shown(step)} is no configured step here: the action ends with an error")
    error = _error(part)
    action = Action(
        id=ActionId(identity),
        dsl_script=script,
        action=step,
        config=_configuration(config, credentials) if configures else None,
        dependencies=list(_dependencies(part)),
        result=_result(part, "result"),
        error_status=error and error.value,
        error_message=part.text("error_message") or (error and error.sentence),
        executed_at=part.time("executed_at"),
        reset_target_action_id=_target(part),
        previous_execution_result=_result(part, "previous_execution_result"),
    )
    if not configures and config:
        part.note("config", "nothing reads it here: not kept")
    if not action.is_completed and not is_empty(action.result):
        part.note("result", "the action has not run: not kept")
        action.result = None
    part.leave(_LEFT)
    return action


def _error(part: Part) -> ActionStatus | None:
    name = part.text("error_status")
    if name is None:
        part.text("error_message")
        return None
    if name not in _STATUSES:
        part.note("error_status", f"{shown(name)} is no status here: kept as internal_error")
    return _STATUSES.get(name, ActionStatus.INTERNAL_ERROR)


def _result(part: Part, name: str) -> Any:
    """Return a result in its typed JSON form; what an operator asked for is no result."""
    value = part.raw(name)
    return None if is_recall(value) else encode_value(value)


def _target(part: Part) -> ActionId | None:
    target = part.name("reset_target_action_id")
    return ActionId(target) if target else None


def _dependencies(part: Part) -> Iterator[Dependency]:
    for edge in part.parts("dependencies"):
        upstream = edge.name("action_id")
        if upstream is None:
            edge.note("action_id", "an edge that leads nowhere: not kept")
            continue
        path = edge.raw("result_path") or []
        steps = path if isinstance(path, list) else [path]
        yield Dependency(
            action_id=ActionId(upstream), parameter=edge.text("parameter"), result_path=list(map(str, steps))
        )
        edge.leave({})


def _configuration(config: Part, credentials: str | None) -> dict[str, Any]:
    """Return an initial configuration as a partial state; what the account starts with is in its details."""
    automation, details = config.part("automation"), config.part("exchange_account_details")
    configured: dict[str, Any] = {}
    if metadata := read_metadata(automation.part("metadata")):
        configured["automation"] = {"metadata": metadata}
    account = read_details(details, credentials) if details else None
    for name in ELEMENTS:
        elements = automation.part(name)
        balances = read_portfolio(elements.part("portfolio")).content
        elements.leave(dict.fromkeys(elements.names(), _UNSET))
        if balances and is_live(details):
            elements.note("portfolio", "a live account has what it has: not kept")
        elif balances:
            account = account or ExchangeAccountDetails()
            account.portfolio.content = [
                Holding(asset=asset, available=held.available, total=held.total)
                for asset, held in balances.items()
            ]
    if account is not None:
        configured["exchange_account_details"] = account.model_dump(mode="json", exclude_defaults=True)
    automation.leave(dict.fromkeys(automation.names(), _UNSET))
    config.leave(dict.fromkeys(config.names(), _UNSET))
    return configured


def read_metadata(part: Part) -> dict[str, Any]:
    """Return who the automation is, without what is not told."""
    texts = ("automation_id", "name", "strategy_id", "strategy_version")
    found: dict[str, Any] = {name: value for name in texts if (value := part.name(name)) is not None}
    if part.flag("emit_signals"):
        found["emit_signals"] = True
    part.leave({"run_mode": "an automation runs on its own account here: not kept"})
    return found


def _asked(part: Part, action: Action) -> tuple[str, Recall] | None:
    """Return what a call of the action asked for, and where that stands; None when none waits."""
    place = "result" if action.is_completed else "previous_execution_result"
    if action.dsl_script is None or action.failed or not is_recall(part.raw(place)):
        return None
    recall = read_recall(part.part(place))
    return None if recall is None else (f"{place}.{RECALLING}", recall)


def _bound(action: Action, others: Mapping[str, Action]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the results of all completed actions, and the values of the script's parameters."""
    results = {
        one.id: decode_value(one.result) for one in others.values() if one.is_completed and not one.failed
    }
    parameters = {}
    for edge in action.dependencies:
        if edge.parameter is not None and edge.action_id in results:
            parameters[edge.parameter] = _at(results[edge.action_id], edge.result_path)
    return {str(name): value for name, value in results.items()}, parameters


def _at(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
