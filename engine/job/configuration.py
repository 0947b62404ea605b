"""The configured step `apply_configuration`: a partial state laid over the automation's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from engine.errors import ConfigurationError, InitializationRunFailedError
from engine.state import (
    Action,
    AutomationState,
    Balance,
    ConfiguredPortfolio,
    ExchangeAccountDetails,
    ExchangeAccountElements,
    Portfolio,
    StateModel,
    describe,
    load_state,
)

CONFIGURABLE: Final = ("metadata", "defaults", "approval", "schedule")
"""What a configuration may set of `automation`; actions and progress are not among it."""


def bootstrap_action(state: AutomationState) -> Action | None:
    """Return the action that sets the account up, when this is the first run and there is none yet.

    Raises:
        InitializationRunFailedError: more than one such action is pending.
    """
    if state.automation.execution.iteration > 0 or state.has_exchange:
        return None
    pending = [action for action in state.actions if action.is_configuration and not action.is_completed]
    if len(pending) > 1:
        names = ", ".join(f"'{action.id}'" for action in pending)
        raise InitializationRunFailedError(
            f"only one action can apply the configuration, and {names} do; keep one"
        )
    return pending[0] if pending else None


def apply_configuration(state: AutomationState, config: Mapping[str, Any]) -> None:
    """Lay a partial state over the automation's metadata, defaults, schedule and account details.

    Raises:
        ConfigurationError: the configuration has other keys, or values of the wrong form; it names another
            account, and orders or effects are left on the live one.
    """
    partial = dict(config)
    automation = dict(partial.pop("automation", {}))
    details = partial.pop("exchange_account_details", None)
    unknown = [*partial, *(f"automation.{key}" for key in automation if key not in CONFIGURABLE)]
    if unknown:
        raise ConfigurationError(
            f"a configuration cannot set {', '.join(unknown)}; it sets exchange_account_details"
            f" and {', '.join(f'automation.{key}' for key in CONFIGURABLE)}"
        )
    overlay = load_state({"automation": _merged(_dump_settings(state), automation)}).automation
    account = state.exchange_account_details
    if details is not None:
        account = _account_details(account, details)
        _refuse_to_leave_orders(state, account)
    for key in automation:
        setattr(state.automation, key, getattr(overlay, key))
    state.exchange_account_details = account


def initial_elements(portfolio: ConfiguredPortfolio) -> ExchangeAccountElements:
    """Return the elements of an account that holds the configured portfolio and nothing else."""
    content = {
        holding.asset: Balance(available=holding.usable, total=holding.total) for holding in portfolio.content
    }
    return ExchangeAccountElements(portfolio=Portfolio(content=content))


def _account_details(
    present: ExchangeAccountDetails | None, partial: Mapping[str, Any]
) -> ExchangeAccountDetails:
    merged = _merged(_dump(present) if present else {}, partial)
    try:
        details = ExchangeAccountDetails.model_validate(merged)
    except ValidationError as error:
        raise ConfigurationError(f"exchange_account_details: {describe(error)}") from None
    if present is None or present.auth_details != details.auth_details:
        details.metadata.rights_checked_at = 0  # nobody has looked at what this key may do
    return details


def _refuse_to_leave_orders(state: AutomationState, account: ExchangeAccountDetails) -> None:
    """Raise when orders of a live account would be looked for, and effects carried out, on another one."""
    present = state.exchange_account_details
    if present is None or not state.is_live:
        return
    is_same = present.exchange_details == account.exchange_details and not account.is_simulated
    elements = state.automation.exchange_account_elements
    if not is_same and (state.automation.execution.pending_effects or (elements and elements.has_orders)):
        raise ConfigurationError(
            "exchange_account_details: the automation has orders or effects under way on its present account;"
            " cancel them, or wait for them, before it gets another one"
        )


def _dump_settings(state: AutomationState) -> dict[str, Any]:
    return state.automation.model_dump(mode="json", exclude_defaults=True, include=set(CONFIGURABLE))


def _dump(model: StateModel) -> dict[str, Any]:
    return model.model_dump(mode="json", exclude_defaults=True)


def _merged(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in overlay.items():
        present = merged.get(key)
        merged[key] = (
            _merged(present, value) if isinstance(present, Mapping) and isinstance(value, Mapping) else value
        )
    return merged
