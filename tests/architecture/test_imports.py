"""The rules about imports fail when they are broken: each has a planted case."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import doors
from tests.architecture.__main__ import CHECKS

REPOSITORY = Path(__file__).parents[2]
CHECKED = ("engine", "workflows", "activities", "cli", "pyproject.toml")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the rules are about, to plant something in."""
    for name in CHECKED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def lint(root: Path) -> tuple[int, str]:
    """Run the import linter in a folder; return its exit code and what it says, on one line."""
    program = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([program, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)
    return ran.returncode, " ".join(ran.stdout.split())


@pytest.mark.parametrize(
    ("planted", "broken"),
    [
        ({"engine/state/planted.py": "from engine.job import AutomationJob"}, "The rooms of the engine"),
        ({"engine/live/guard/planted.py": "from engine.live.books import named"}, "A live account"),
        ({"engine/dsl/syntax/planted.py": "from engine.dsl.running import Run"}, "The language"),
        (
            {
                "engine/market/planted.py": "import engine.market.other",
                "engine/market/other.py": "import engine.market.planted",
            },
            "No circle",
        ),
        ({"workflows/planted.py": "from engine.state import AutomationState"}, "Workflows import only"),
        ({"engine/market/planted.py": "import temporalio"}, "The engine knows nothing"),
        ({"engine/attic/__init__.py": ""}, "The rooms of the engine"),
    ],
    ids=[
        "layer",
        "layer of live",
        "layer of dsl",
        "circle",
        "workflow",
        "Temporal",
        "a room without a place",
    ],
)
def test_the_import_linter_finds_what_is_planted(copy: Path, planted: dict[str, str], broken: str) -> None:
    for path, text in planted.items():
        (copy / path).parent.mkdir(exist_ok=True)
        (copy / path).write_text(text + "\n")
    code, said = lint(copy)
    assert code != 0
    assert re.search(rf"{broken}((?!KEPT).)* BROKEN", said), said


@pytest.mark.parametrize(
    ("path", "text", "trouble"),
    [
        ("engine/job/planted.py", "from engine.market.candles import Candles", "engine.market, which is its"),
        ("engine/job/planted.py", "import engine.market.candles", "import the names of engine.market"),
        ("engine/job/planted.py", "from engine.market import Series", "Series is not in __all__"),
        ("engine/live/planted.py", "from engine.live.guard.timing import x", "engine.live.guard, which is"),
        ("engine/market/planted.py", "from engine.market import Market", "the door of this very package"),
        ("planted.py", "from engine.live.guard import EffectGuard", "engine.live, which is its door"),
    ],
)
def test_whoever_comes_in_past_the_door_is_found(copy: Path, path: str, text: str, trouble: str) -> None:
    (copy / path).write_text(text + "\n")
    found = [line for line in doors.check(copy) if line.startswith(f"{path}:1:")]
    assert len(found) == 1
    assert trouble in found[0]


def test_the_rules_are_kept() -> None:
    assert [line for check in CHECKS for line in check(REPOSITORY)] == []
