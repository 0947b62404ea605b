"""A user's session: start, look, talk, detach, come back, stop."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conftest import SAMPLE_MARKET
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.timeout(150)

LONG = """
name: Long bot
actions:
  first: 40 + 2
  wait: {run: wait(100000), after: first}
"""


@pytest.fixture
def bot(tmp_path: Path) -> str:
    file = tmp_path / "bot.yaml"
    file.write_text(LONG)
    return str(file)


def test_a_session_from_the_first_run_to_the_stop(installation: Installation, bot: str) -> None:
    with installation.start("run", bot) as running:
        _read_until(running, "next run")
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert "octoflow watch long-bot" in out

    assert "long-bot" in installation.run("list").out
    shown = installation.run("show", "long-bot")
    assert "42" in shown.out
    assert "wait" in shown.out

    assert installation.run("exec", "long-bot", "1 + 1").out == "2\n"
    refused = installation.run("exec", "long-bot", "1 / 0")
    assert refused.exit_code == 1
    assert "dsl_execution_error" in refused.err
    assert "Traceback" not in refused.err

    assert "octoflow resume long-bot" in installation.run("pause", "long-bot").out
    assert "paused" in installation.run("show", "long-bot").out
    assert installation.run("exec", "long-bot", "1 + 1").out == "2\n"
    assert "running" in installation.run("resume", "long-bot").out
    assert "nothing to resume" in installation.run("resume", "long-bot").err

    assert installation.run("trigger", "long-bot").exit_code == 0
    _edit_it(installation, Path(bot))
    ran = installation.run("history", "long-bot", "--json").documents[0]["history"]
    assert [outcome["iteration"] for outcome in ran] == list(range(1, len(ran) + 1))
    assert all(outcome["at"] for outcome in ran)
    newest = installation.run("history", "long-bot", "--last", "1").out
    assert str(len(ran)) in newest.splitlines()[-1]
    assert installation.run("retry", "long-bot").exit_code == 1
    again = installation.run("start", bot)
    assert again.exit_code == 1
    assert "runs already" in again.err

    stopped = installation.run("stop", "long-bot")
    assert stopped.exit_code == 0
    assert "stopped" in stopped.out
    unknown = installation.run("stop", "short-bot")
    assert unknown.exit_code == 1
    assert "no automation 'short-bot'" in unknown.err

    ended = installation.run("server", "--stop")
    assert "stopped the server" in ended.out
    assert "stopped the worker" in ended.out


def _edit_it(installation: Installation, file: Path) -> None:
    file.write_text(
        LONG.replace("40 + 2", "987_654").replace("wait(100000)", "wait(200000)") + "  new: $first\n"
    )
    assert "dry run" in installation.run("edit", "long-bot", str(file), "--dry-run").out
    assert "987_654" not in installation.run("show", "long-bot").out

    changed = installation.run("edit", "long-bot", str(file))
    assert "keeps its result" in changed.out
    assert "it is running" in changed.out
    assert "these actions already" in installation.run("edit", "long-bot", str(file)).out

    again = installation.run("edit", "long-bot", str(file), "--restart", "first", "--json").documents[0]
    assert again["restarted"] == ["first", "wait", "new"]
    assert "removed" in installation.run("edit", "long-bot", _without_new(file)).out


def _without_new(file: Path) -> str:
    file.write_text(file.read_text().replace("  new: $first\n", ""))
    return str(file)


def test_an_automation_goes_on_after_server_and_worker_were_ended(
    installation: Installation, bot: str
) -> None:
    with installation.start("run", bot) as running:
        _read_until(running, "next run")
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    installation.run("server", "--stop")
    assert installation.run("show", "long-bot").exit_code == 3

    with installation.start("server") as server:
        _read_until(server, "Temporal server at")
        assert installation.run("show", "long-bot").exit_code == 3  # nobody serves it yet
        with installation.start("worker") as worker:
            _read_until(worker, "Serving the queue")
            assert "42" in installation.run("show", "long-bot").out
            installation.run("stop", "long-bot")
            worker.terminate()
        server.terminate()
    assert (worker.returncode, server.returncode) == (0, 0)


def test_a_corrupt_candle_file_is_named_before_anything_starts(
    installation: Installation, tmp_path: Path
) -> None:
    market = tmp_path / "market"
    shutil.copytree(SAMPLE_MARKET, market)
    files = list((market / "candles" / "binance").glob("BTC-*.csv"))
    sound = {file: file.read_text() for file in files}
    for file, text in sound.items():
        lines = text.splitlines()
        file.write_text("\n".join([*lines[:9], "garbage", *lines[10:], ""]))

    broken = installation.run("run", "examples/limit_ladder.yaml", "--market", str(market))
    assert broken.exit_code == 2
    assert "line 10" in broken.err
    assert "Traceback" not in broken.out + broken.err

    for file, text in sound.items():
        file.write_text(text)
    ended = installation.run("run", "examples/limit_ladder.yaml", "--market", str(market))
    assert ended.exit_code == 0
    assert "finished" in ended.out


def _read_until(process: subprocess.Popen[str], said: str) -> str:
    """Return the output of a process up to the line that says something."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if said in line:
            return "".join(lines)
    pytest.fail(f"{said!r} was never printed: {''.join(lines)} {process.stderr and process.stderr.read()}")
