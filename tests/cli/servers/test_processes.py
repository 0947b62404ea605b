"""Background processes are known by a note that nobody can mistake for another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cli.servers import processes
from cli.servers.processes import ProcessRecord


def note(home: Path, record: ProcessRecord) -> None:
    file = home / "processes" / f"{record.kind}-{record.pid}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        json.dumps({"kind": record.kind, "pid": record.pid, "created": record.created, "background": True})
    )


def test_a_process_is_noted_while_it_works(tmp_path: Path) -> None:
    with processes.noted(tmp_path, "worker"):
        (record,) = processes.running(tmp_path)
        assert (record.kind, record.pid, record.background) == ("worker", os.getpid(), False)
        assert processes.running(tmp_path, "server") == []
    assert processes.running(tmp_path) == []


def test_a_pid_that_belongs_to_another_process_by_now_is_not_ours(tmp_path: Path) -> None:
    note(tmp_path, ProcessRecord("server", os.getpid(), psutil.Process().create_time() - 100, True))
    assert processes.running(tmp_path) == []
    assert list((tmp_path / "processes").iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_broken_note_is_removed(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "processes"
    folder.mkdir()
    (folder / "server-1.json").write_text(content)
    assert processes.running(tmp_path) == []
    assert list(folder.iterdir()) == []


def test_stopping_ends_processes_and_says_which(tmp_path: Path) -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        record = ProcessRecord("worker", sleeper.pid, psutil.Process(sleeper.pid).create_time(), True)
        note(tmp_path, record)
        assert processes.stop(processes.running(tmp_path)) == [record]
        assert processes.running(tmp_path) == []
    finally:
        sleeper.kill()
        sleeper.wait()
