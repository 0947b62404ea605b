"""Turns what can go wrong into one message and an exit code: what happened, where, what to do."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text
from temporalio.client import (
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from codec import PayloadKeyError
from connection import NotReachableError, PortInUseError, ServerNotFoundError, SettingProblem
from engine.automation_file import AutomationFileError
from engine.errors import ConfigurationError, DslError, OctoflowError
from workflows.client import KeysWouldBeReadableError

DEBUG_VARIABLE: Final = "OCTOFLOW_DEBUG"


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    WRONG_INPUT = 2
    NOT_REACHABLE = 3


class CommandError(Exception):
    """A command cannot do what it was asked to; the message says why and what to do."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


EXIT_CODES: Final[Mapping[type[BaseException], ExitCode]] = MappingProxyType(
    {
        NotReachableError: ExitCode.NOT_REACHABLE,
        ServerNotFoundError: ExitCode.NOT_REACHABLE,
        PortInUseError: ExitCode.FAILED,
        SettingProblem: ExitCode.WRONG_INPUT,
        PayloadKeyError: ExitCode.WRONG_INPUT,
        KeysWouldBeReadableError: ExitCode.WRONG_INPUT,
        ConfigurationError: ExitCode.WRONG_INPUT,
        DslError: ExitCode.WRONG_INPUT,
        ValidationError: ExitCode.WRONG_INPUT,
        OctoflowError: ExitCode.FAILED,
        WorkflowAlreadyStartedError: ExitCode.FAILED,
        OSError: ExitCode.FAILED,
    }
)
"""What each expected error means for the exit code; the first class that fits counts."""


def exit_code_of(error: BaseException) -> ExitCode:
    """Return the exit code of an error; one that nobody expected counts as failed."""
    if isinstance(error, CommandError):
        return error.exit_code
    if isinstance(error, RPCError):
        unreachable = error.status in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED)
        return ExitCode.NOT_REACHABLE if unreachable else ExitCode.FAILED
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), ExitCode.FAILED)


def message_of(error: BaseException) -> str:
    """Return an error in words for a person, without a traceback."""
    if isinstance(error, WorkflowAlreadyStartedError):
        name = error.workflow_id
        return f"{name!r} runs already: `octoflow watch {name}` follows it, `octoflow stop {name}` ends it."
    if isinstance(error, ValidationError):
        return "; ".join(_value_problem(problem) for problem in error.errors())
    if isinstance(error, RPCError):
        return f"the Temporal server answers: {error.message}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, CommandError | OctoflowError) or type(error) in EXIT_CODES:
        return str(error)
    return (
        f"something unexpected happened: {type(error).__name__}: {error}. "
        f"Set {DEBUG_VARIABLE}=1 to see where; this is a bug worth reporting."
    )


def _value_problem(problem: Any) -> str:
    return f"{'.'.join(map(str, problem['loc']))} is {problem['input']!r}: {problem['msg']}"


def report(error: BaseException, *, as_json: bool) -> None:
    """Print an error on stderr.

    Raises:
        BaseException: the error itself, when the user asked for tracebacks.
    """
    if os.environ.get(DEBUG_VARIABLE):
        raise error
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if as_json:
        console.print(json.dumps({"error": _as_json(error)}), markup=False)
        return
    if isinstance(error, AutomationFileError):
        count = len(error.problems)
        console.print(Text(f"{count} problem{'s' if count > 1 else ''}:", style="bold red"))
        console.print(message_of(error), markup=False)
        return
    console.print(Text("error: ", style="bold red").append(message_of(error), style="default not bold"))


def _as_json(error: BaseException) -> dict[str, Any]:
    code = getattr(error, "code", None)
    described: dict[str, Any] = {
        "message": message_of(error),
        "code": code if isinstance(code, str) else type(error).__name__,
    }
    if isinstance(error, AutomationFileError):
        described["problems"] = [asdict(problem) for problem in error.problems]
    return described


@contextmanager
def talking_to(automation_id: str) -> Iterator[None]:
    """Say which automation an answer of the server is about.

    Raises:
        CommandError: there is no such automation, or it refused.
    """
    try:
        yield
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            message = f"no automation {automation_id!r} is running; `octoflow list --all` shows all."
            raise CommandError(message) from error
        raise
    except (WorkflowUpdateFailedError, WorkflowFailureError) as error:
        raise CommandError(f"{automation_id}: {_reason(error.cause)}") from error
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise CommandError(f"{automation_id} does not answer: {error}") from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        message = (
            f"{automation_id} did not answer in time. Is a worker running? `octoflow worker` starts one."
        )
        raise CommandError(message, ExitCode.NOT_REACHABLE) from error


def _reason(cause: BaseException | None) -> str:
    if isinstance(cause, ApplicationError):
        return cause.message
    return str(cause)
