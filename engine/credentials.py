"""Credentials of an exchange account: found where a reference says, in a type that shows nothing."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, NoReturn

from engine.errors import ConfigurationError
from engine.masking import register
from engine.state import AuthDetails

PROVIDERS: Final = "octoflow.credentials"
"""Group of entry points; the name of one is its scheme, and it loads as a `Provider`."""

KEYRING_SERVICE: Final = "octoflow"
FIELDS: Final = ("api_key", "api_secret", "api_password", "access_token")

Provider = Callable[[str], Mapping[str, str]]
"""Gives some of the `FIELDS` for the part of a reference behind its scheme."""

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORMS: Final = "`env:NAME`, `file:PATH#NAME`, `keyring:NAME`"


class Credentials:
    """The keys of one account, for one job. Neither printing, copying nor pickling gives them away.

    Args:
        given: values by field; empty ones count as not given.
        reference: where they come from, for errors.
    """

    __slots__ = ("_values", "reference")

    def __init__(self, given: Mapping[str, str | None], reference: str) -> None:
        values = {name: _normalized(value) for name in FIELDS if (value := given.get(name))}
        object.__setattr__(self, "_values", values)
        object.__setattr__(self, "reference", reference)

    reference: str
    _values: Mapping[str, str]

    def reveal(self, field: str) -> str | None:
        """Return one of the `FIELDS`: only for handing it to the exchange's client."""
        return self._values.get(field)

    def secret_values(self) -> tuple[str, ...]:
        """Return everything that no text may show."""
        return tuple(self._values.values())

    def __repr__(self) -> str:
        return f"Credentials({self.reference!r})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("credentials do not change")

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are neither copied nor pickled")


def resolve(auth: AuthDetails, environment: Mapping[str, str] | None = None) -> Credentials:
    """Return the credentials that an account names, and mask their values in the current scope.

    Args:
        auth: a reference (`env:NAME`, `file:PATH#NAME`, `keyring:NAME`, or the scheme of an installed
            provider), or inline keys.
        environment: variables for `env:`; those of the process by default.

    Raises:
        ConfigurationError: `invalid_credentials`, saying what to do and never showing a value.
    """
    reference = auth.credential_ref
    if reference is None:
        inline = {name: getattr(auth, name) for name in FIELDS}
        credentials = Credentials(inline, "the keys in `auth_details`")
    else:
        scheme, _, name = reference.partition(":")
        if not name:
            raise _refused(reference, f"a reference has the form {_FORMS}")
        provide = _provider(reference, scheme, os.environ if environment is None else environment)
        credentials = Credentials(provide(name), f"`{reference}`")
    register(credentials.secret_values())
    if not credentials.secret_values():
        raise ConfigurationError(f"{credentials.reference} gives no keys", code="invalid_credentials")
    return credentials


def _provider(reference: str, scheme: str, environment: Mapping[str, str]) -> Provider:
    """Return what a reference's scheme stands for."""

    def failing(problem: str) -> ConfigurationError:
        return _refused(reference, problem)

    built_in: Mapping[str, Provider] = {
        "env": lambda name: _from_environment(name, environment, failing),
        "file": lambda place: _from_file(place, failing),
        "keyring": lambda name: _from_keyring(name, failing),
    }
    if scheme in built_in:
        return built_in[scheme]
    found = next(iter(entry_points(group=PROVIDERS, name=scheme)), None)
    if found is None:
        raise failing(
            f"`{scheme}` is no known place for credentials: use {_FORMS}, or install a package with an "
            f"entry point `{scheme}` in the group `{PROVIDERS}`"
        )
    return lambda name: _from_provider(found.load, name, failing)


def _from_environment(name: str, environment: Mapping[str, str], failing: _Failing) -> Mapping[str, str]:
    if not _VARIABLE.fullmatch(name):
        raise failing("behind `env:` stands the beginning of variables, such as `BINANCE` of BINANCE_API_KEY")
    variables = {field: f"{name}_{field.upper()}" for field in FIELDS}
    given = {field: environment[variable] for field, variable in variables.items() if variable in environment}
    if not any(given.values()):
        raise failing(
            f"set {variables['api_key']} and {variables['api_secret']} (and {variables['api_password']} "
            f"where the exchange has one), or {variables['access_token']} for a community, in the "
            "environment of the worker"
        )
    return given


def _from_file(place: str, failing: _Failing) -> Mapping[str, str]:
    path_text, _, name = place.rpartition("#")
    if not path_text or not name:
        raise failing("behind `file:` stands a path, `#` and the name of a table in that file")
    path = Path(path_text).expanduser()
    try:
        tables = tomllib.loads(_read_private(path, failing))
    except OSError as error:
        raise failing(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        # The text of the error would show the place in the file, and with it what stands there.
        raise failing(f'{path} is not TOML: write `[{name}]` and below it `api_key = "…"`') from None
    table = tables.get(name)
    if not isinstance(table, Mapping):
        raise failing(f"{path} has no table `[{name}]`")
    unknown = sorted(set(table) - set(FIELDS))
    if unknown or not all(isinstance(value, str) for value in table.values()):
        raise failing(f"the table `[{name}]` of {path} takes only texts: {', '.join(FIELDS)}")
    return table


def _read_private(path: Path, failing: _Failing) -> str:
    """Return the text of a file that only its owner can read.

    The open file is checked, not its name, which could stand for another file a moment later.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise failing(f"{path} is not a regular file")
        if hasattr(os, "getuid"):
            if status.st_uid != os.getuid():
                raise failing(
                    f"{path} belongs to another user: it must belong to the one that runs the worker"
                )
            if stat.S_IMODE(status.st_mode) & 0o077:
                raise failing(f"others can read {path}: run `chmod 600 {path}`")
        with open(descriptor, encoding="utf-8", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def _from_keyring(name: str, failing: _Failing) -> Mapping[str, str]:
    try:
        keyring: Any = import_module("keyring")
    except ImportError:
        raise failing("the package keyring is not installed: `pip install octoflow[keyring]`") from None
    service = f"{KEYRING_SERVICE}:{name}"
    try:
        given = {field: keyring.get_password(service, field) for field in FIELDS}
    except keyring.errors.KeyringError as error:
        raise failing(f"the system's keyring cannot be read ({type(error).__name__})") from None
    if not any(given.values()):
        raise failing(
            f"the keyring has no keys: run `keyring set {service} api_key`, then the same for `api_secret`"
        )
    return {field: value for field, value in given.items() if value}


def _from_provider(load: Callable[[], Provider], name: str, failing: _Failing) -> Mapping[str, str]:
    try:
        given = dict(load()(name))
    except Exception as error:
        # What a provider says about its failure may quote what it found.
        raise failing(f"its provider failed ({type(error).__name__})") from None
    if not all(field in FIELDS and isinstance(value, str) for field, value in given.items()):
        raise failing(f"its provider must give texts under these names: {', '.join(FIELDS)}")
    return given


_Failing = Callable[[str], ConfigurationError]


def _refused(reference: str, problem: str) -> ConfigurationError:
    return ConfigurationError(f"credentials `{reference}`: {problem}", code="invalid_credentials")


def _normalized(value: str) -> str:
    """Return a value without blanks around it; PEM keys get their lines back, which variables cannot hold."""
    plain = value.strip()
    return plain.replace("\\n", "\n") + "\n" if plain.startswith("-----BEGIN") else plain
