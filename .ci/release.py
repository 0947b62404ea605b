"""Tells what keeps a checkout from being released; if nothing does, the command that tags it.

Used by `make release`. Exit code 1 and a line for each problem; nothing is changed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECTION = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<date>\S+))?$", re.MULTILINE)


def version_of(root: Path) -> str:
    """Return the version that `pyproject.toml` names."""
    return str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])


def problems(root: Path) -> list[str]:
    """Return what is to be put right before the checkout can be released, in sentences."""
    version, changelog = version_of(root), (root / "CHANGELOG.md").read_text()
    found = [*_of_the_changelog(version, changelog)]
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        found.append(f"{version} is no version of the form 1.2.3")
    if _git(root, "status", "--porcelain"):
        found.append("there are changes that are not committed")
    if _git(root, "tag", "--list", f"v{version}"):
        found.append(f"the tag v{version} exists: raise the version in pyproject.toml")
    return found


def _of_the_changelog(version: str, changelog: str) -> list[str]:
    sections = list(SECTION.finditer(changelog))
    names = [section["version"] for section in sections]
    if names[:1] != ["Unreleased"]:
        return ["CHANGELOG.md does not begin with a section [Unreleased]"]
    if names[1:2] != [version]:
        return [f"the section below [Unreleased] is not [{version}] - DATE"]
    found = []
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", sections[1]["date"] or ""):
        found.append(f"the section [{version}] has no date of the form 2026-01-31")
    if changelog[sections[0].end() : sections[1].start()].strip():
        found.append(f"there are entries in [Unreleased]: move them to [{version}], or raise the version")
    return found


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=True
    ).stdout.strip()


def main(root: Path, *options: str) -> int:
    """Print the problems, or with `--tag` the command that tags the release; return the exit code."""
    found = problems(root)
    for problem in found:
        sys.stderr.write(f"not ready for a release: {problem}\n")
    if not found and "--tag" in options:
        version = version_of(root)
        sys.stdout.write(
            f"dist/ is ready. To publish it:\n"
            f"  git tag --annotate v{version} --message 'Octoflow {version}'\n"
            f"  git push origin v{version}\n"
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(ROOT, *sys.argv[1:]))
