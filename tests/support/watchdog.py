"""A pytest plugin that ends a run which hangs where no test's own time limit helps.

pytest-timeout fails a test that takes too long, and the run goes on; but it does so once per test, from
Python, in the main thread. It does not end a fixture that hangs when such a test is torn down, a native call
that never returns, an import that hangs in collection, or a thread that keeps the interpreter from ending.
Here the run has to get on: from one step to the next it has the test's time limit and `hang_grace` seconds
more. When it does not, the stacks of all threads are printed, what the run has started is killed, and the
process ends with status 1.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import psutil
import pytest

from tests.support.leftovers import left_running

DEFAULT_LIMIT: Final = 60.0
"""Seconds for a step, where neither a test nor the settings name a limit."""

LAST_RESORT: Final = 5.0
"""Seconds after which faulthandler ends the process from C, when no Python runs in it any more."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "hang_grace", "seconds beyond a test's time limit until the whole run is ended", default="60"
    )


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("usepdb"):
        config.pluginmanager.register(Watchdog(config), "watchdog")


class Watchdog:
    """Waits for the run to get on, in a thread of its own."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._grace = float(config.getini("hang_grace"))
        self._stderr = os.fdopen(os.dup(sys.stderr.fileno()), "w")  # before output is captured
        self._changed = threading.Condition()
        self._step, self._deadline = "", float("inf")
        self._expect("collection")
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Every test has its limit, set-up and tear-down included."""
        self._expect(item.nodeid, item)
        try:
            return (yield)
        finally:
            self._expect(f"what follows {item.nodeid}")

    @pytest.hookimpl(trylast=True)
    def pytest_exception_interact(self) -> None:
        """Pytest takes the last resort away when a test fails: before it is torn down."""
        self._arm_the_last_resort()

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """What is left now is the end of the interpreter."""
        self._expect("the end of the process")

    def pytest_enter_pdb(self) -> None:
        """Whoever debugs takes the time that it takes."""
        with self._changed:
            self._deadline = float("inf")
        faulthandler.cancel_dump_traceback_later()

    def _expect(self, step: str, item: pytest.Item | None = None) -> None:
        with self._changed:
            self._step, self._deadline = step, time.monotonic() + self._limit(item) + self._grace
            self._changed.notify()
        self._arm_the_last_resort()

    def _arm_the_last_resort(self) -> None:
        left = max(self._deadline - time.monotonic(), 0) + LAST_RESORT
        if left < threading.TIMEOUT_MAX:
            faulthandler.dump_traceback_later(left, exit=True, file=self._stderr)

    def _limit(self, item: pytest.Item | None) -> float:
        marker = item.get_closest_marker("timeout") if item is not None else None
        if marker is not None:
            return float(marker.args[0] if marker.args else marker.kwargs["timeout"])
        named: Any = self._config.getoption("timeout", None) or self._config.getini("timeout")
        return float(named or DEFAULT_LIMIT)

    def _watch(self) -> None:
        with self._changed:
            while (left := self._deadline - time.monotonic()) > 0:
                self._changed.wait(min(left, threading.TIMEOUT_MAX))
            step = self._step
        self._end(step)

    def _end(self, step: str) -> NoReturn:
        self._stderr.write(f"\n\nthe run hangs in {step}; it is ended\n")
        for report in self._failed_before():
            self._stderr.write(f"failed before: {report.nodeid} ({report.when})\n{report.longreprtext}\n")
        self._stderr.flush()
        faulthandler.dump_traceback(file=self._stderr, all_threads=True)
        for process in left_running():
            try:
                process.kill()
            except psutil.Error:
                continue
        os._exit(1)

    def _failed_before(self) -> list[pytest.TestReport]:
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        stats = reporter.stats if reporter is not None else {}
        return [report for kind in ("failed", "error") for report in stats.get(kind, [])]
