"""Keeps keys that stand in a file out of Temporal: a reference to them is enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import typer

from cli.errors import CommandError, ExitCode
from connection import Settings
from engine.state import AutomationState

INLINE: Final = ("api_key", "api_secret", "api_password", "access_token")

_INSTEAD: Final = (
    "name a reference instead, such as `credentials: env:BINANCE` or `credential_ref: env:BINANCE`"
)


def check_inline_keys(state: AutomationState, settings: Settings) -> None:
    """Warn of keys in an automation that is to be started; where nothing is encrypted, refuse them.

    Raises:
        CommandError: the keys would lie readable in Temporal's database.
        PayloadKeyError: the key that encrypts cannot be used.
    """
    places = ", ".join(_places(state))
    if not places:
        return
    if settings.payload_keys().current is None:
        raise CommandError(
            f"there are keys in {places}, and they would lie readable in Temporal's database: {_INSTEAD}. "
            "With OCTOFLOW_ENCRYPTION_KEY set, they are accepted.",
            ExitCode.WRONG_INPUT,
        )
    typer.echo(f"warning: there are keys in {places}: {_INSTEAD}.", err=True)


def _places(state: AutomationState) -> Iterator[str]:
    details = state.exchange_account_details
    if details is not None and _holds_keys(details.auth_details.model_dump()):
        yield "exchange_account_details"
    for action in state.actions:
        account = (action.config or {}).get("exchange_account_details")
        if isinstance(account, Mapping) and _holds_keys(account.get("auth_details")):
            yield f"the action '{action.id}'"


def _holds_keys(auth: Any) -> bool:
    return isinstance(auth, Mapping) and any(auth.get(name) for name in INLINE)
