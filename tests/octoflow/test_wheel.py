"""The wheel has what it should and nothing else, and works where there is no checkout.

`OCTOFLOW_WHEEL` names a wheel to check; else one is built of the checkout.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path

import pytest

from activities.build_id import SHIPPED, commit_with_changes
from tests.conftest import REPOSITORY

EXAMPLE = REPOSITORY / "examples" / "operator_package"

Run = Callable[..., str]


def called(*command: object, **surroundings: str) -> str:
    """What a program prints, which has to succeed; it gets no variable that could lead to the checkout."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ran = subprocess.run(
        [str(part) for part in command],
        env={**inherited, "COLUMNS": "200", **surroundings},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of Octoflow."""
    given = os.environ.get("OCTOFLOW_WHEEL")
    if given:
        return Path(given).resolve()
    return build("wheel", REPOSITORY, tmp_path_factory.mktemp("wheel"))


def build(target: str, source: Path, folder: Path) -> Path:
    """Build a distribution with what is installed, and return it."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return next(folder.iterdir())


# What is in it


def shipped_files() -> set[str]:
    """The files of the checkout that belong into the wheel."""
    found: set[str] = set()
    for name in SHIPPED:
        path = REPOSITORY / name
        files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
        found |= {str(file.relative_to(REPOSITORY)) for file in files if "__pycache__" not in file.parts}
    return found


def test_it_has_the_code_and_nothing_else(wheel: Path) -> None:
    names, code = zipfile.ZipFile(wheel).namelist(), code_in(zipfile.ZipFile(wheel))
    assert len(names) == len(set(names))
    assert code - {"activities/commit.txt"} == shipped_files()
    assert {Path(name).suffix for name in code} == {".py", ".lark", ".typed", ".txt"}
    assert {name.partition("/")[0] for name in code} == set(SHIPPED)


def test_what_is_no_python_is_there(wheel: Path) -> None:
    inside = zipfile.ZipFile(wheel)
    information = next(name for name in inside.namelist() if name.endswith("METADATA")).partition("/")[0]
    assert {
        "octoflow/py.typed",
        "engine/py.typed",
        "workflows/py.typed",
        "engine/dsl/syntax/grammar.lark",
        f"{information}/licenses/LICENSE",
    } <= set(inside.namelist())
    entry_points = inside.read(f"{information}/entry_points.txt").decode()
    assert entry_points.split("\n\n")[0].strip() == "[console_scripts]\noctoflow = cli.main:main"


def test_its_metadata_is_complete(wheel: Path) -> None:
    inside = zipfile.ZipFile(wheel)
    name = next(name for name in inside.namelist() if name.endswith("METADATA"))
    metadata = Parser().parsestr(inside.read(name).decode())
    assert metadata["Name"] == "octoflow"
    assert metadata["Version"] == wheel.name.split("-")[1]
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Summary"]
    assert {"local", "keyring"} <= set(metadata.get_all("Provides-Extra", []))
    assert str(metadata.get_payload()).startswith("# Octoflow")
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])


@pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="this is no checkout")
@pytest.mark.skipif("OCTOFLOW_WHEEL" in os.environ, reason="another commit may have been built")
def test_it_says_which_commit_it_was_built_from(wheel: Path) -> None:
    written = zipfile.ZipFile(wheel).read("activities/commit.txt").decode().strip()
    assert written == commit_with_changes(REPOSITORY)


@pytest.mark.skipif("OCTOFLOW_WHEEL" in os.environ, reason="another commit may have been built")
def test_the_source_distribution_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    packed = build("sdist", REPOSITORY, tmp_path / "packed")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    again = zipfile.ZipFile(build("wheel", source, tmp_path / "again"))
    first = zipfile.ZipFile(wheel)
    assert {name: again.read(name) for name in code_in(again)} == {
        name: first.read(name) for name in code_in(first)
    }


def code_in(archive: zipfile.ZipFile) -> set[str]:
    """The files of an archive that are no metadata."""
    return {name for name in archive.namelist() if ".dist-info/" not in name}


# What it does, on the libraries of this environment


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs Python with the wheel and the example package installed beside this environment's libraries.

    Without `site`, so that the editable installation of the checkout is not on the path.
    """
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target", target]
    called(*pip, *offline, wheel, EXAMPLE)
    path = os.pathsep.join([str(target), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])

    def run(*arguments: object) -> str:
        return called(sys.executable, "-S", *arguments, PYTHONPATH=path)

    run("-c", f"import octoflow; assert octoflow.__file__.startswith({str(target)!r}), octoflow.__file__")
    return run


def test_every_module_is_imported_from_it(installed: Run) -> None:
    code = (
        "import octoflow, octoflow.testing, octoflow.running, engine, cli.main, worker, sys;"
        "names = [name for name in sys.modules if name.partition('.')[0] in "
        "('octoflow', 'engine', 'workflows', 'activities', 'cli', 'worker', 'connection', 'codec')];"
        "print(sorted({sys.modules[name].__file__ for name in names}))"
    )
    assert str(REPOSITORY) not in installed("-c", code)


def test_the_command_line_starts(installed: Run) -> None:
    assert "validate" in installed("-m", "cli", "--help")
    assert installed("-m", "cli", "--version").split()[-1]


def test_an_operator_package_is_found(installed: Run) -> None:
    assert "zscore(" in installed("-m", "cli", "operators", "zscore")


def test_its_worker_names_the_commit(installed: Run, wheel: Path) -> None:
    inside = zipfile.ZipFile(wheel)
    if "activities/commit.txt" not in inside.namelist():
        pytest.skip("the wheel was built without a checkout")
    written = inside.read("activities/commit.txt").decode().strip()
    named = installed("-c", "from activities.build_id import build_id; print(build_id())")
    assert named.strip().endswith(f"+{written}")


# What it does in an environment of its own, with libraries from the index

USES_THE_FACE = '''
from decimal import Decimal
from typing import Annotated

import octoflow
from octoflow import (
    Account, Cancelled, Kind, MarketSource, OperatorContext, OperatorSet, OrderFilter, Planned, Range,
    ReCallingOperatorResult, Symbol, SymbolParam, done, later, operator,
)
from octoflow.testing import MemoryMarket, evaluate

SET = OperatorSet("typed", "Operators of a strictly typed package.")


@operator(SET, kind=Kind.EFFECT, source="orders", example="drop('BTC/USDT')")
def drop(
    context: OperatorContext, symbol: Annotated[str, SymbolParam()]
) -> list[str] | ReCallingOperatorResult:
    """Cancel everything."""
    gone = done(context, Cancelled)
    if gone is not None:
        return [one.id for one in gone]
    orders = context.service(Account).cancel(OrderFilter(symbol=Symbol(symbol)), context.key)
    return later(context, orders) if isinstance(orders, Planned) else list(orders)


@operator(SET, kind=Kind.PURE, example="half(2)")
def half(value: Annotated[Decimal, Range(ge=0)]) -> Decimal:
    """Halve a number."""
    return value / 2


async def start(text: str, market: MarketSource) -> octoflow.InvocationOutcome:
    state = octoflow.load_automation(text)
    services = octoflow.Services(market_source=lambda _: market)
    handle = await octoflow.start_automation(await octoflow.connect(), state)
    reveal_type(handle.id)
    reveal_type(octoflow.__version__)
    reveal_type(state)
    return await octoflow.AutomationJob(octoflow.InvocationRequest(state=state, now=0.0), services).run()


market: MarketSource = MemoryMarket({"BTC/USDT": 1})
reveal_type(evaluate("half(2)", SET))
octoflow.Range(ge="zero")
'''


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that has nothing but the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    called(folder / "bin" / "python", "-m", "pip", "install", "--quiet", wheel)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_it_works_in_an_empty_environment(environment: Path, wheel: Path) -> None:
    python, octoflow = environment / "bin" / "python", environment / "bin" / "octoflow"
    assert str(environment) in called(python, "-c", "import octoflow; print(octoflow.__file__)")
    assert "validate" in called(octoflow, "--help")
    assert called(octoflow, "--version").split()[-1] == wheel.name.split("-")[1]
    called(octoflow, "validate", REPOSITORY / "examples" / "dca.yaml")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_an_operator_package_is_installed_against_it(environment: Path, tmp_path: Path) -> None:
    python = environment / "bin" / "python"
    called(python, "-m", "pip", "install", "--quiet", f"{EXAMPLE}[test]")
    assert "zscore(" in called(environment / "bin" / "octoflow", "operators", "zscore")
    tests = tmp_path / "test_example_operators.py"
    tests.write_text((EXAMPLE / tests.name).read_text())
    assert "passed" in called(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_packages_that_are_checked_strictly_find_its_types(environment: Path, tmp_path: Path) -> None:
    file = tmp_path / "uses_the_face.py"
    file.write_text(USES_THE_FACE)
    options: list[str | Path] = ["--strict", "--cache-dir", tmp_path / "cache", "--config-file", os.devnull]
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--python-executable", environment / "bin" / "python", *options, file],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line.partition(": ")[2] for line in ran.stdout.splitlines() if "uses_the_face" in line]
    assert told == [
        'note: Revealed type is "str"',
        'note: Revealed type is "str"',
        'note: Revealed type is "engine.state.automation.AutomationState"',
        'note: Revealed type is "Any"',
        'error: Argument "ge" to "Range" has incompatible type "str"; expected "float | None"  [arg-type]',
    ], ran.stdout
