"""API keys that lie in a state themselves, instead of being referred to: seen before they reach Temporal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

INLINE_FIELDS: Final = ("api_key", "api_secret", "api_password", "access_token")
"""Fields of `auth_details` that hold a secret; `credential_ref` only says where one is."""

WHAT_TO_DO: Final = (
    "use `credentials: env:NAME` (or file:, keyring:) in the automation file, or let OCTOFLOW_ENCRYPTION_KEY "
    "encrypt what Temporal stores"
)


def holds_keys(state: Mapping[str, Any]) -> bool:
    """Tell whether a state in its JSON form holds API keys, in its account or in a step that sets it up."""
    return any(auth.get(name) for auth in _auth_details(state) for name in INLINE_FIELDS)


def _auth_details(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    actions = state.get("automation", {}).get("actions_dag", {}).get("actions", ())
    configurations = (action.get("config") or {} for action in (*actions, *state.get("priority_actions", ())))
    for part in (state, *configurations):
        account = part.get("exchange_account_details") or {}
        yield account.get("auth_details") or {}
