"""The client of a live account: ccxt's own class with the account's keys, for one job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from engine.credentials import FIELDS, Credentials
from engine.errors import ConfigurationError
from engine.exchanges import Client, capabilities_of, make_client
from engine.live.settings import LiveSettings
from engine.state import ExchangeDetails
from engine.types import Timestamp

_WANTED_AS: Final = {
    "apiKey": "api_key",
    "secret": "api_secret",
    "password": "api_password",
    "uid": "api_password",
    "token": "access_token",
    "walletAddress": "api_key",
    "privateKey": "api_secret",
}
"""What ccxt calls the fields of credentials; chains have addresses and private keys in their place."""

_sign_before: ContextVar[Timestamp | None] = ContextVar("octoflow_sign_before", default=None)


class TooLateToSign(Exception):
    """An effect's request was about to be signed long after it was begun; it is not sent."""


@contextmanager
def signing_before(end: Timestamp) -> Iterator[None]:
    """Let requests of this task be signed until `end`, UNIX seconds of this machine's clock."""
    token = _sign_before.set(end)
    try:
        yield
    finally:
        _sign_before.reset(token)


def make_live_client(
    details: ExchangeDetails, credentials: Credentials, settings: LiveSettings, clock: Callable[[], Timestamp]
) -> Client:
    """Return a client with keys, not connected yet; whoever makes it closes it.

    Raises:
        ConfigurationError: ccxt does not know the exchange, or it needs a key that is not given.
    """
    client = make_client(details)
    # An invocation sends some seven requests; the limit over all workers is the task queue's.
    client.enableRateLimit = False
    # Texts instead of floats: amounts, prices and balances stay exact.
    client.number = str
    if "recvWindow" in client.options:
        client.options["recvWindow"] = int(settings.receive_window * 1_000)
    client.options.update(capabilities_of(client.id).options)
    _give_keys(client, credentials)
    _refuse_late_signatures(client, clock)
    return client


def _give_keys(client: Client, credentials: Credentials) -> None:
    for wanted, field in _WANTED_AS.items():
        value = credentials.reveal(field)
        if value is not None:
            setattr(client, wanted, value)
        elif client.requiredCredentials.get(wanted):
            given = " and ".join(f"`{name}`" for name in FIELDS if credentials.reveal(name)) or "nothing"
            raise ConfigurationError(
                f"{client.id} also needs `{field}`; {credentials.reference} gives {given}",
                code="invalid_credentials",
            )


def _refuse_late_signatures(client: Client, clock: Callable[[], Timestamp]) -> None:
    sign = client.sign

    def sign_in_time(*arguments: Any, **options: Any) -> Any:
        before = _sign_before.get()
        if before is not None and clock() > before:
            raise TooLateToSign("too much time passed before the request could be signed; it was not sent")
        return sign(*arguments, **options)

    client.sign = sign_in_time
