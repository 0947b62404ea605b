"""The example package is installed as any other, and its operators are found by their entry point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "examples" / "operator_package"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the example installed into it, without any network."""
    target = tmp_path_factory.mktemp("packages")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, *offline, "--target", str(target), str(PACKAGE)], check=True, capture_output=True)
    return target


def python(code: str, packages: Path | None) -> Any:
    """What a fresh interpreter prints as JSON, with the folder of packages on its path."""
    path = os.pathsep.join(map(str, filter(None, [packages, REPOSITORY])))
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


EVALUATE = """
import json
from engine.dsl import DSLExecutor, ScriptContext, compile_script
from engine.operators import default_registry
texts = ["round(zscore([1, 2, 3, 2, 1, 9], 5)[-1], 3)", "in_session(20, 23)", "in_session(0, 20)"]
context = ScriptContext(now=1_700_000_000)
print(json.dumps([
    DSLExecutor(compile_script(text, default_registry()), context).execute_sync().value for text in texts
]))
"""


def test_its_operators_are_evaluated(installed: Path) -> None:
    # 1,700,000,000 is a Tuesday, 22:13 UTC.
    assert python(EVALUATE, installed) == [1.951, True, False]


DESCRIBE = """
import json
from engine.operators import default_registry
print(json.dumps({entry["name"]: entry for entry in default_registry().describe()}))
"""


def test_its_operators_are_in_the_reference_only_where_it_is_installed(installed: Path) -> None:
    described = python(DESCRIBE, installed)["zscore"]
    assert described["set"] == "example"
    assert described["parameters"][1] == {
        "name": "period",
        "type": "int",
        "required": True,
        "unit": "candles",
        "range": "at least 2",
        "description": "how many values the mean is taken of.",
    }
    assert "zscore" not in python(DESCRIBE, None)


REFUSE = """
import json
from engine.dsl import compile_script
from engine.errors import DslError
from engine.operators import default_registry
try:
    compile_script("zscore([1, 2], 1)", default_registry())
except DslError as error:
    print(json.dumps([error.code, error.message]))
"""


def test_its_ranges_are_enforced(installed: Path) -> None:
    assert python(REFUSE, installed) == [
        "invalid_parameters",
        "zscore(): period must be a whole number, at least 2; it is int 1",
    ]
