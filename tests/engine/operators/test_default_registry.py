"""Which operators there are, and how packages add more."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from engine import operators
from engine.dsl import Defaults, Kind, OperatorDefinition, OperatorSet, compile_script, operator
from engine.errors import ConfigurationError
from tests.support.scripts import evaluate

third_party = OperatorSet("third party", "From another package.")


@operator(third_party, kind=Kind.PURE, example="double(2)")
def double(value: int) -> int:
    """Return twice a number.

    Args:
        value: the number.
    """
    return 2 * value


def with_entry_point(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    entry_point = EntryPoint("extra", target, operators.ENTRY_POINT_GROUP)
    monkeypatch.setattr(operators, "entry_points", lambda group: [entry_point])


def test_an_installed_package_adds_its_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    with_entry_point(monkeypatch, f"{__name__}:third_party")
    assert "double" in operators.default_registry.__wrapped__()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_package:SET", "the operator set extra .* does not load"),
        (f"{__name__}:with_entry_point", "is a function, not an OperatorSet"),
    ],
)
def test_a_broken_package_is_named(monkeypatch: pytest.MonkeyPatch, target: str, message: str) -> None:
    with_entry_point(monkeypatch, target)
    with pytest.raises(ConfigurationError, match=message):
        operators.default_registry.__wrapped__()


def test_the_registry_loads_no_numeric_library() -> None:
    code = (
        "import sys; from engine.operators import default_registry; default_registry(); "
        "sys.exit(any(name in sys.modules for name in ('numpy', 'talib', 'ccxt', 'lark')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


REGISTRY = operators.default_registry()


@pytest.mark.parametrize("definition", REGISTRY.definitions(), ids=REGISTRY.names())
def test_every_operator_has_an_example_that_works(definition: OperatorDefinition) -> None:
    script = compile_script(definition.example, REGISTRY)
    assert definition.name in script.operators
    script.dependencies(Defaults("BTC/USDT", "1h"))
    if script.is_plain and script.is_static and not script.needs_exchange and definition.name != "error":
        evaluate(definition.example)


@pytest.mark.parametrize("definition", REGISTRY.definitions(), ids=REGISTRY.names())
def test_every_parameter_is_described(definition: OperatorDefinition) -> None:
    assert definition.summary.endswith(".")
    for parameter in definition.describe()["parameters"]:
        assert parameter.get("description"), f"{definition.name}({parameter['name']})"
