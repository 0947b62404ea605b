"""What is released is committed, has a version of its own, and a dated section in the changelog."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SCRIPT = REPOSITORY / ".ci" / "release.py"
NAMES = runpy.run_path(str(SCRIPT)) if SCRIPT.exists() else {}
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-31\n\n### Added\n\n- Everything.\n"

pytestmark = [
    pytest.mark.skipif(not SCRIPT.exists(), reason="a source distribution has no .ci"),
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]

Project = Callable[..., Path]


def git(folder: Path, *arguments: str) -> None:
    own = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Makes a committed checkout with a version and a changelog."""

    def make(changelog: str = CHANGELOG, version: str = "1.2.0") -> Path:
        folder = tmp_path / "project"
        (folder / ".ci").mkdir(parents=True)
        (folder / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
        (folder / "CHANGELOG.md").write_text(changelog)
        (folder / "requirements.lock").touch()
        shutil.copy(SCRIPT, folder / ".ci")
        shutil.copy(REPOSITORY / "Makefile", folder)
        git(folder, "init", "--quiet")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", "Everything")
        return folder

    return make


def test_a_release_is_ready_when_nothing_is_left_to_do(project: Project) -> None:
    assert NAMES["problems"](project()) == []


@pytest.mark.parametrize(
    ("changelog", "version", "expected"),
    [
        (CHANGELOG, "1.3.0", "the section below [Unreleased] is not [1.3.0] - DATE"),
        (CHANGELOG.replace(" - 2026-01-31", ""), "1.2.0", "has no date"),
        (CHANGELOG.replace("2026-01-31", "soon"), "1.2.0", "has no date"),
        (CHANGELOG.replace("## [1.2.0]", "- New.\n\n## [1.2.0]"), "1.2.0", "entries in [Unreleased]"),
        (CHANGELOG.replace("## [Unreleased]\n\n", ""), "1.2.0", "does not begin with"),
        (CHANGELOG.replace("1.2.0", "1.2"), "1.2", "is no version of the form 1.2.3"),
    ],
)
def test_what_is_missing_is_named(project: Project, changelog: str, version: str, expected: str) -> None:
    (problem,) = NAMES["problems"](project(changelog, version))
    assert expected in problem


def test_a_changed_tree_is_not_released(project: Project) -> None:
    folder = project()
    (folder / "new.py").write_text("")
    assert NAMES["problems"](folder) == ["there are changes that are not committed"]


def test_a_version_is_released_once(project: Project) -> None:
    folder = project()
    git(folder, "tag", "v1.2.0")
    assert "the tag v1.2.0 exists" in NAMES["problems"](folder)[0]


def make_release(folder: Path, programs: Path) -> subprocess.CompletedProcess[str]:
    """Run `make release` with programs that only write down how they were called."""
    programs.mkdir()
    for name in ("ruff", "mypy", "lint-imports"):
        write_program(programs / name)
    write_program(
        programs / "python",
        f'case "$1" in .ci/*) exec {sys.executable} "$@";; esac',
        'case "$2" in hatchling) mkdir dist; touch dist/octoflow-1.2.0.whl;; esac',
    )
    (programs / "stamp").touch()
    command = ["make", "release", f"BIN={programs}", f"STAMP={programs / 'stamp'}"]
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)


def write_program(path: Path, *lines: str) -> None:
    log = f"echo {path.name} $@ >> {path.parent / 'log'}"
    path.write_text("\n".join(["#!/bin/sh", log, *lines, ""]))
    path.chmod(0o755)


def test_the_target_checks_builds_and_names_the_tag(project: Project, tmp_path: Path) -> None:
    folder, programs = project(), tmp_path / "programs"
    (folder / ".git" / "info" / "exclude").write_text("dist\n")
    released = make_release(folder, programs)
    assert released.returncode == 0, released.stdout + released.stderr
    assert "git tag --annotate v1.2.0" in released.stdout
    called = (programs / "log").read_text().splitlines()
    assert [line.split()[0] for line in called if not line.startswith("python")] == [
        "ruff",
        "ruff",
        "mypy",
        "lint-imports",
    ]
    assert any("pytest tests/octoflow/test_wheel.py" in line for line in called)


def test_the_target_does_nothing_when_something_is_missing(project: Project, tmp_path: Path) -> None:
    folder, programs = project(version="1.3.0"), tmp_path / "programs"
    released = make_release(folder, programs)
    assert released.returncode != 0
    assert "not ready for a release: the section below" in released.stderr
    assert (programs / "log").read_text().splitlines() == ["python .ci/release.py"]


def test_the_changelog_of_this_checkout_has_the_form() -> None:
    """Whatever stands in it between two releases, its newest dated section can be released."""
    sections = list(NAMES["SECTION"].finditer((REPOSITORY / "CHANGELOG.md").read_text()))
    assert sections[0]["version"] == "Unreleased"
    assert all(section["date"] for section in sections[1:])
