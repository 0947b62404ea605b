"""A run that hangs is ended, wherever it hangs: planted runs with limits of seconds."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

pytestmark = pytest.mark.timeout(300)

REPOSITORY = Path(__file__).parents[2]
SETTINGS = "[pytest]\nasyncio_mode = auto\ntimeout = 3\nhang_grace = 20\n"

HANGING_TEST = """
import threading, time

def test_hangs():
    threading.Event().wait()

def test_is_run_as_well():
    pass
"""

HANGING_COROUTINE = """
import asyncio

async def test_hangs():
    await asyncio.Event().wait()

def test_is_run_as_well():
    pass
"""

HANGING_TEARDOWN = """
import threading, pytest

@pytest.fixture
def server():
    yield
    threading.Event().wait()

def test_fails(server):
    assert False
"""

HANGING_TEST_AND_TEARDOWN = HANGING_TEARDOWN.replace("assert False", "threading.Event().wait()")

HANGING_SESSION = HANGING_TEARDOWN.replace("@pytest.fixture", '@pytest.fixture(scope="session")')

NATIVE = """
import ctypes

def test_hangs():
    mutex, libc = ctypes.create_string_buffer(256), ctypes.PyDLL(None)  # which keeps the interpreter's lock
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_lock(mutex)
"""

HANGING_IMPORT = """
import threading
threading.Event().wait()
"""

HANGING_EXIT = """
import threading

def test_leaves_a_thread():
    threading.Thread(target=threading.Event().wait).start()
"""

PROCESSES = """
import subprocess, sys, threading, pytest
from pathlib import Path
from tests.support.leftovers import mark_this_run

@pytest.fixture
def server():
    mark_this_run()
    program = [sys.executable, "-c", "input()"]
    started = subprocess.Popen(program, stdin=subprocess.PIPE, start_new_session=True)
    Path(__file__).with_name("started").write_text(str(started.pid))
    yield
    threading.Event().wait()

def test_fails(server):
    assert False
"""

PATIENT = ("-o", "hang_grace=100")
"""For a run that has to get on by itself, however slow the machine is."""

PLANTED = {
    "a test": (HANGING_TEST, *PATIENT),
    "a coroutine": (HANGING_COROUTINE, *PATIENT),
    "teardown of a test that fails": (HANGING_TEARDOWN,),
    "teardown of a test that hangs": (HANGING_TEST_AND_TEARDOWN,),
    "teardown of the session": (HANGING_SESSION,),
    "native": (NATIVE,),
    "collection": (HANGING_IMPORT,),
    "end of the process": (HANGING_EXIT,),
    "a run with a process": (PROCESSES,),
    "the whole run": (HANGING_TEST, *PATIENT, "--session-timeout", "1"),
}
"""What hangs, and the options of its run."""


class Run(NamedTuple):
    """A planted run, ended."""

    code: int
    out: str
    err: str
    folder: Path


def run(folder: Path, text: str, *options: str) -> Run:
    """Run planted tests in a process of its own."""
    folder.mkdir()
    (folder / "pytest.ini").write_text(SETTINGS)
    (folder / "test_planted.py").write_text(text)
    plugins = ["-p", "tests.support.watchdog", "-p", "no:randomly", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *options, str(folder)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(ran.returncode, ran.stdout, ran.stderr, folder)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The planted runs, which mostly wait: side by side."""
    folder = tmp_path_factory.mktemp("planted")
    with ThreadPoolExecutor(len(PLANTED)) as pool:
        waiting = {
            name: pool.submit(run, folder / str(number), *planted)
            for number, (name, planted) in enumerate(PLANTED.items())
        }
        return {name: ran.result() for name, ran in waiting.items()}


@pytest.mark.parametrize("name", PLANTED)
def test_a_run_that_hangs_fails(name: str, runs: dict[str, Run]) -> None:
    assert runs[name].code == 1


@pytest.mark.parametrize("name", ["a test", "a coroutine"])
def test_a_test_that_hangs_is_ended_and_the_others_run(name: str, runs: dict[str, Run]) -> None:
    assert "1 failed, 1 passed" in runs[name].out
    assert "Timeout (>3.0s)" in runs[name].out


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("teardown of a test that fails", "server"),
        ("teardown of a test that hangs", "server"),
        ("teardown of the session", "server"),
        ("collection", "<module>"),
        ("end of the process", "_shutdown"),
    ],
)
def test_a_run_that_no_time_limit_ends_is_ended_and_says_where(
    name: str, where: str, runs: dict[str, Run]
) -> None:
    assert "the run hangs in" in runs[name].err
    assert f" in {where}" in runs[name].err


def test_what_failed_before_is_not_lost(runs: dict[str, Run]) -> None:
    err = runs["teardown of a test that fails"].err
    assert "test_planted.py::test_fails (call)" in err
    assert "assert False" in err


def test_a_native_call_that_keeps_the_interpreter_is_ended_and_says_where(runs: dict[str, Run]) -> None:
    assert " in test_hangs" in runs["native"].err


def test_nothing_that_a_run_has_started_outlives_it(runs: dict[str, Run]) -> None:
    started = int((runs["a run with a process"].folder / "started").read_text())
    assert not psutil.pid_exists(started) or psutil.Process(started).status() == psutil.STATUS_ZOMBIE


def test_a_run_that_takes_too_long_as_a_whole_runs_no_more_tests(runs: dict[str, Run]) -> None:
    assert "session-timeout" in runs["the whole run"].out
    assert "passed" not in runs["the whole run"].out
