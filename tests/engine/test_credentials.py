"""Credentials are found where a reference says, and shown nowhere."""

from __future__ import annotations

import copy
import json
import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine import credentials as module
from engine.credentials import Credentials, resolve
from engine.errors import ConfigurationError
from engine.masking import mask, masking
from engine.state import AuthDetails

KEY, SECRET = "canary-key-1234", "canary-secret-5678"
ENVIRONMENT = {"BINANCE_API_KEY": KEY, "BINANCE_API_SECRET": SECRET}


def resolved(reference: str, environment: dict[str, str] | None = None) -> Credentials:
    return resolve(AuthDetails(credential_ref=reference), environment or {})


def refusal(reference: str, environment: dict[str, str] | None = None) -> str:
    """What is said about a reference that cannot be resolved; never a value."""
    with pytest.raises(ConfigurationError) as raised:
        resolved(reference, environment)
    assert raised.value.code == "invalid_credentials"
    assert "canary" not in raised.value.message
    assert raised.value.__cause__ is None
    return raised.value.message


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.toml"
    path.write_text(f'[main]\napi_key = "{KEY}"\napi_secret = "{SECRET}"\napi_password = "pass-phrase"\n')
    path.chmod(0o600)
    return path


def test_keys_are_read_from_variables_of_the_environment() -> None:
    found = resolved("env:BINANCE", ENVIRONMENT | {"BINANCE_API_PASSWORD": " words "})
    assert found.reveal("api_key") == KEY
    assert found.reveal("api_secret") == SECRET
    assert found.reveal("api_password") == "words"
    assert found.reveal("access_token") is None


def test_missing_variables_are_named() -> None:
    assert "BINANCE_API_KEY and BINANCE_API_SECRET" in refusal("env:BINANCE")
    assert "`env:BINANCE`" in refusal("env:BINANCE")
    assert "beginning of variables" in refusal("env:BI NANCE", ENVIRONMENT)


def test_keys_are_read_from_a_table_of_a_private_file(key_file: Path) -> None:
    found = resolved(f"file:{key_file}#main")
    assert found.secret_values() == (KEY, SECRET, "pass-phrase")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    assert f"chmod 600 {key_file}" in refusal(f"file:{key_file}#main")


def test_a_file_of_another_user_is_refused(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: key_file.stat().st_uid + 1)
    assert "belongs to another user" in refusal(f"file:{key_file}#main")


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "not a regular file" in refusal(f"file:{tmp_path}/pipe#main")
    assert "not a regular file" in refusal(f"file:{tmp_path}#main")
    assert "No such file" in refusal(f"file:{tmp_path}/none#main")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'[main]\napi_key = "{KEY}', "is not TOML"),
        (f'[other]\napi_key = "{KEY}"', "has no table `[main]`"),
        (f'[main]\nkey = "{KEY}"', "takes only texts: api_key, api_secret"),
        ("[main]\napi_key = 5", "takes only texts"),
        ("[main]", "gives no keys"),
    ],
)
def test_a_file_of_another_form_is_refused(key_file: Path, text: str, said: str) -> None:
    key_file.write_text(text)
    assert said in refusal(f"file:{key_file}#main")


def test_a_file_needs_a_table(key_file: Path) -> None:
    assert "a path, `#` and the name of a table" in refusal(f"file:{key_file}")


class Keyring(ModuleType):
    """The package keyring, with a store of its own."""

    def __init__(self, stored: dict[tuple[str, str], str], broken: bool = False) -> None:
        super().__init__("keyring")
        self.stored, self.broken = stored, broken
        self.errors = ModuleType("keyring.errors")
        self.errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]  # a stub

    def get_password(self, service: str, field: str) -> str | None:
        if self.broken:
            raise self.errors.KeyringError("canary-secret-5678 is locked")
        return self.stored.get((service, field))


def test_keys_are_read_from_the_system_s_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = {("octoflow:main", "api_key"): KEY, ("octoflow:main", "api_secret"): SECRET}
    monkeypatch.setitem(sys.modules, "keyring", Keyring(stored))
    assert resolved("keyring:main").secret_values() == (KEY, SECRET)
    assert "keyring set octoflow:other api_key" in refusal("keyring:other")


def test_a_keyring_that_cannot_be_used_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Keyring({}, broken=True))
    assert "cannot be read (KeyringError)" in refusal("keyring:main")
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert "pip install octoflow[keyring]" in refusal("keyring:main")


def from_vault(name: str) -> dict[str, str]:
    """A provider as an installed package has it."""
    if name == "sealed":
        raise PermissionError(SECRET)
    return {"api_key": KEY, "api_secret": SECRET} if name == "main" else {"token": KEY}


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = EntryPoints([EntryPoint("vault", f"{__name__}:from_vault", module.PROVIDERS)])
    monkeypatch.setattr(module, "entry_points", installed.select)


@pytest.mark.usefixtures("vault")
def test_an_installed_package_can_provide_keys() -> None:
    assert resolved("vault:main").secret_values() == (KEY, SECRET)
    assert "its provider failed (PermissionError)" in refusal("vault:sealed")
    assert "must give texts under these names" in refusal("vault:strange")


@pytest.mark.parametrize("reference", ["safe:main", "BINANCE", "env:"])
def test_an_unknown_form_is_refused_with_the_known_ones(reference: str) -> None:
    assert "`env:NAME`, `file:PATH#NAME`, `keyring:NAME`" in refusal(reference, ENVIRONMENT)


def test_inline_keys_are_accepted() -> None:
    found = resolve(AuthDetails(api_key=KEY, api_secret=SECRET))
    assert found.secret_values() == (KEY, SECRET)
    assert KEY not in found.reference


def test_a_pem_key_in_one_line_gets_its_lines_back() -> None:
    one_line = r"-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----"
    found = resolved("env:COINBASE", {"COINBASE_API_SECRET": one_line})
    assert found.reveal("api_secret") == (
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----\n"
    )


def test_nothing_gives_the_keys_away() -> None:
    found = resolved("env:BINANCE", ENVIRONMENT)
    for shown in (repr(found), str(found), f"{found}", repr([found]), f"{[found]!r}"):
        assert "canary" not in shown
        assert "env:BINANCE" in shown
    assert not is_dataclass(found)
    assert not hasattr(found, "__dict__")
    ways: tuple[Callable[[Any], object], ...] = (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, asdict)
    for give_away in ways:
        with pytest.raises(TypeError) as raised:
            give_away(found)
        assert "canary" not in str(raised.value)
    with pytest.raises(AttributeError):
        found.reference = "another"


def test_resolved_values_are_masked_in_the_jobs_scope() -> None:
    with masking():
        resolved("env:BINANCE", ENVIRONMENT)
        assert mask(f"{KEY} {SECRET}") == "*** ***"
