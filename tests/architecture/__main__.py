"""Prints what breaks a rule of the house, and fails if anything does."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.architecture import doors, state_paths, tested

CHECKS = (doors.check, state_paths.check, tested.check)


def main(root: Path) -> int:
    """Check a checkout; return the exit code."""
    broken = [line for check in CHECKS for line in check(root)]
    sys.stdout.writelines(f"{line}\n" for line in broken)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).parents[2]))
