"""The public face has every name it promises, is light, and is what nothing else is built on."""

from __future__ import annotations

import inspect
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from types import ModuleType

import pytest

import octoflow
import octoflow.running
import octoflow.testing
from tests import test_imports
from tests.conftest import REPOSITORY

HEAVY = {
    "aiohttp",
    "ccxt",
    "cryptography",
    "keyring",
    "numpy",
    "talib",
    "temporalio",
    "workflows",
    "connection",
}

modules_after_importing = cache(test_imports.modules_after_importing)


@pytest.mark.parametrize("module", [octoflow, octoflow.running, octoflow.testing])
def test_every_promised_name_is_there_once_and_is_documented(module: ModuleType) -> None:
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name


def test_it_says_its_version() -> None:
    assert octoflow.__version__ == version("octoflow")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = octoflow.nonsense
    assert set(octoflow.__all__) == set(dir(octoflow))


def test_it_loads_nothing_heavy() -> None:
    loaded = {name.partition(".")[0] for name in modules_after_importing("octoflow")}
    assert loaded.isdisjoint(HEAVY)


def test_its_tests_need_no_test_framework() -> None:
    loaded = {name.partition(".")[0] for name in modules_after_importing("octoflow.testing")}
    assert loaded.isdisjoint(HEAVY | {"pytest", "_pytest", "hypothesis"})


def test_it_adds_nothing_to_the_time_that_the_engine_takes() -> None:
    """Of the modules that the face loads, all but its own are the engine's."""
    own = modules_after_importing("octoflow") - modules_after_importing("engine")
    assert {name for name in own if name.partition(".")[0] != "octoflow"} == set()


@pytest.mark.parametrize("module", ["worker", "connection", "codec", "cli.main"])
def test_nothing_is_built_on_it(module: str) -> None:
    assert "octoflow" not in modules_after_importing(module)


def test_what_is_imported_is_typed() -> None:
    for package in ("octoflow", "engine", "workflows"):
        assert (REPOSITORY / package / "py.typed").exists()


def test_temporal_is_loaded_when_a_program_asks_for_it() -> None:
    code = "import octoflow, sys; octoflow.connect; print('temporalio' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "True"
