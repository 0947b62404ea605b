"""`python -m tests.conformance FILE…`: run every case of some corpus files and count."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from tests.conformance.compare import matches
from tests.conformance.corpus import Case, Corpus, differences
from tests.conformance.modes import run


def main() -> int:
    """Run the command line; the exit code is 1 when a case fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("-v", "--verbose", action="store_true", help="list the failing cases")
    arguments = parser.parse_args()
    passed = failed = skipped = 0
    for path in arguments.files:
        corpus = Corpus.read(path)
        skipped += len(corpus.left_out)
        for case in corpus.cases:
            actual, fits = outcome_of(case)
            if fits:
                passed += 1
                continue
            failed += 1
            if arguments.verbose:
                reason = differences().get(case.id)
                print(f"{case.id}: {case.expression!r}")
                print(f"    expected {case.expected}\n    actual   {actual}")
                print(f"    different on purpose: {reason}" if reason else "")
    print(f"{passed} passed, {failed} failed, {skipped} left out (tests/conformance/left_out.json says why)")
    return 1 if failed else 0


def outcome_of(case: Case) -> tuple[Any, bool]:
    """Return what comes of a case, and whether it is what is expected; a crash never is."""
    try:
        actual = asyncio.run(run(case))
        return actual, matches(actual, case.expected)
    except Exception as error:
        return f"crash: {type(error).__name__}: {error}", False


if __name__ == "__main__":
    sys.exit(main())
