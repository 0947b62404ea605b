"""Every commit has a name of its own, read from `.git` in a checkout and from a file in what was built."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from activities.build_id import COMMIT_FILE, SHIPPED, build_id, commit_of, is_changed
from tests.conftest import REPOSITORY

RELEASE = version("octoflow")
NEEDS_GIT = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> str:
    """What git prints, whatever its user has configured."""
    own = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    command = ["git", *own, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path, code: str) -> str:
    """Write the worker's code, commit it, and return the commit."""
    (folder / "worker.py").write_text(code)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "A commit")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository without a commit."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    return folder


@NEEDS_GIT
def test_two_commits_have_two_names(checkout: Path) -> None:
    names = []
    for code in ("one = 1\n", "one = 2\n"):
        made = commit(checkout, code)
        names.append(build_id(checkout))
        assert names[-1] == f"{RELEASE}+{made[:12]}"
    assert len(set(names)) == 2


@NEEDS_GIT
@pytest.mark.parametrize(
    "arrange",
    [
        ("pack-refs", "--all"),
        ("checkout", "--quiet", "--detach"),
        ("checkout", "--quiet", "-b", "a/branch"),
        ("gc", "--quiet"),
    ],
    ids=lambda arguments: arguments[0] + arguments[-1],
)
def test_it_is_found_however_git_keeps_it(checkout: Path, arrange: tuple[str, ...]) -> None:
    made = commit(checkout, "one = 1\n")
    git(checkout, *arrange)
    assert commit_of(checkout) == made


@NEEDS_GIT
def test_a_worktree_has_the_commit_of_its_own_branch(checkout: Path, tmp_path: Path) -> None:
    first = commit(checkout, "one = 1\n")
    git(checkout, "worktree", "add", "--quiet", str(tmp_path / "other"), "-b", "other")
    second = commit(tmp_path / "other", "one = 2\n")
    assert (commit_of(checkout), commit_of(tmp_path / "other")) == (first, second)


@NEEDS_GIT
@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize("file", ["worker.py", "engine/new.py"])
def test_code_that_is_not_committed_is_marked(checkout: Path, file: str, staged: bool) -> None:
    made = commit(checkout, "one = 1\n")
    (checkout / file).parent.mkdir(exist_ok=True)
    (checkout / file).write_text("one = 3\n")
    if staged:
        git(checkout, "add", ".")
    assert build_id(checkout) == f"{RELEASE}+{made[:12]}.dirty"


@NEEDS_GIT
def test_changes_beside_the_code_are_none(checkout: Path) -> None:
    commit(checkout, "one = 1\n")
    (checkout / "notes.md").write_text("beside")
    (checkout / "worker.py").touch()
    assert not is_changed(checkout)


@NEEDS_GIT
def test_a_repository_without_a_commit_has_the_release_alone(checkout: Path) -> None:
    assert build_id(checkout) == RELEASE


def test_without_a_repository_it_is_the_release(tmp_path: Path) -> None:
    assert build_id(tmp_path) == RELEASE
    (tmp_path / ".git").write_text("gitdir: nowhere")
    assert build_id(tmp_path) == RELEASE


@NEEDS_GIT
def test_without_the_program_the_commit_is_known_all_the_same(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = commit(checkout, "one = 1\n")
    (checkout / "worker.py").write_text("one = 2\n")
    monkeypatch.setenv("PATH", "")
    assert build_id(checkout) == f"{RELEASE}+{made[:12]}"


@NEEDS_GIT
def test_a_hook_of_another_repository_does_not_mislead(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(checkout, "one = 1\n")
    (checkout / "worker.py").write_text("one = 2\n")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert is_changed(checkout)


def test_what_was_built_says_what_it_was_built_from(tmp_path: Path) -> None:
    (tmp_path / "activities").mkdir()
    (tmp_path / "activities" / COMMIT_FILE).write_text("0123456789ab\n")
    assert build_id(tmp_path) == f"{RELEASE}+0123456789ab"


def test_it_looks_at_what_is_shipped() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    assert list(SHIPPED) == project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
