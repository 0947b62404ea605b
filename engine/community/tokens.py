"""Finds the token that a reference to credentials names."""

from __future__ import annotations

from collections.abc import Callable

from engine.credentials import resolve
from engine.state import AuthDetails

TokenResolver = Callable[[str], str | None]
"""Gives the access token that a reference names; None when its credentials hold none."""


def access_token(reference: str) -> str | None:
    """Return the access token of a reference, such as `env:NAME`, which reads `NAME_ACCESS_TOKEN`.

    Raises:
        ConfigurationError: there is nothing under the reference.
    """
    return resolve(AuthDetails(credential_ref=reference)).reveal("access_token")
