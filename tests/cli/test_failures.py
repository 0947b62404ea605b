"""Everything that goes wrong ends in one message and the exit code that the documentation promises."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from cli.errors import CommandError, ExitCode, exit_code_of, message_of, report, talking_to
from connection import NotReachableError, PortInUseError
from engine.errors import ConfigurationError, RetryableError
from tests.cli.conftest import Octoflow


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommandError("x", ExitCode.WRONG_INPUT), 2),
        (ConfigurationError("x"), 2),
        (RetryableError("x"), 1),
        (NotReachableError("x"), 3),
        (PortInUseError("x"), 1),
        (RPCError("x", RPCStatusCode.UNAVAILABLE, b""), 3),
        (RPCError("x", RPCStatusCode.INVALID_ARGUMENT, b""), 1),
        (WorkflowAlreadyStartedError("bot", "Automation"), 1),
        (ZeroDivisionError("x"), 1),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: Exception, code: int) -> None:
    assert exit_code_of(error) == code


def test_starting_an_automation_twice_says_how_to_reach_the_first() -> None:
    message = message_of(WorkflowAlreadyStartedError("bot", "Automation"))
    assert "octoflow watch bot" in message


def test_an_unexpected_error_asks_for_a_report_and_can_be_looked_into(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "OCTOFLOW_DEBUG" in message_of(ZeroDivisionError("division by zero"))
    monkeypatch.setenv("OCTOFLOW_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        report(ZeroDivisionError(), as_json=False)


def test_an_unknown_automation_is_named() -> None:
    with pytest.raises(CommandError, match="no automation 'bot'"), talking_to("bot"):
        raise RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")


@pytest.mark.parametrize(
    "command",
    [
        ["list"],
        ["worker"],
        ["exec", "bot", "1"],
        *([verb, "bot"] for verb in ("show", "watch", "history", "stop", "pause", "resume")),
    ],
)
def test_without_a_server_every_command_says_how_to_start_one(octoflow: Octoflow, command: list[str]) -> None:
    octoflow.fails(*command, code=3, saying=["127.0.0.1:9", "octoflow server"])


def test_programs_get_errors_as_json(octoflow: Octoflow) -> None:
    ran = octoflow.fails("list", "--json", code=3)
    assert json.loads(ran.err)["error"]["code"] == "NotReachableError"


def test_a_port_in_use_is_named_with_the_way_out(octoflow: Octoflow) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        octoflow.fails(
            "server", "--port", str(port), code=1, saying=[f"port {port} is in use", "OCTOFLOW_PORT"]
        )


def test_a_temporal_program_that_is_not_there_is_named(octoflow: Octoflow, tmp_path: Path) -> None:
    program = str(tmp_path / "temporal")
    octoflow.fails("server", "--port", "7", "--temporal-path", program, code=3, saying=[program])


def test_a_setting_that_makes_no_sense_is_named(octoflow: Octoflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTOFLOW_PORT", "many")
    octoflow.fails("list", code=2, saying=["OCTOFLOW_PORT", "many"])


@pytest.mark.parametrize("arguments", [["fly"], ["stop"], ["list", "--colour"], ["run"]])
def test_wrong_usage_is_explained(octoflow: Octoflow, arguments: list[str]) -> None:
    octoflow.fails(*arguments, code=2, saying=["Usage"])


def test_an_edit_without_a_server_says_how_to_start_one(octoflow: Octoflow, tmp_path: Path) -> None:
    file = tmp_path / "bot.yaml"
    file.write_text("name: bot\nactions: {a: '1'}\n")
    octoflow.fails("edit", "bot", str(file), code=3, saying=["octoflow server"])


def test_a_broken_file_is_refused_before_a_server_is_needed(octoflow: Octoflow, tmp_path: Path) -> None:
    file = tmp_path / "bot.yaml"
    file.write_text("name: bot\nactions: {a: 1 +}\n")
    octoflow.fails("run", str(file), code=2, saying=[f"{file}:2:"])
    octoflow.fails("start", str(file), code=2, saying=[f"{file}:2:"])
    octoflow.fails("edit", "bot", str(file), code=2, saying=[f"{file}:2:"])


def test_nothing_to_stop_is_no_error(octoflow: Octoflow) -> None:
    ran = octoflow("server", "--stop")
    assert (ran.exit_code, ran.out) == (0, "no server or worker of yours is running\n")


def test_the_version_is_printed(octoflow: Octoflow) -> None:
    assert octoflow("--version").out.startswith("octoflow ")
