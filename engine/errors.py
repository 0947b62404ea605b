"""Everything the engine raises, in one tree whose first level names the reaction it asks for.

========================  =====================================================================
class                     reaction
========================  =====================================================================
`ConfigurationError`      a person must change something; repeating the same input cannot help
`RetryableError`          run the same invocation again, after `retry_after` seconds if given
`PostponedError`          wait for what does not pass within minutes; the job keeps its state meanwhile
`DslError`                the action ends with this error; the automation goes on
========================  =====================================================================

Every error carries a stable `code`, made for programs; the message is made for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self


class ActionStatus(StrEnum):
    """How an action failed; the values are stored as `error_status` in the state."""

    NOT_ENOUGH_FUNDS = "not_enough_funds"
    MISSING_SYMBOL = "missing_symbol"
    SYMBOL_INCOMPATIBLE_WITH_ACCOUNT = "symbol_incompatible_with_account"
    ORDER_NOT_FOUND = "order_not_found"
    INVALID_ORDER = "invalid_order"
    INVALID_CONFIG = "invalid_config"
    INVALID_SIGNAL_FORMAT = "invalid_signal_format"
    NO_TRADING_SIGNAL = "no_trading_signal"
    AUTHENTICATION_ERROR = "authentication_error"
    UNSUPPORTED_STOP_ORDER = "unsupported_stop_order"
    INCOMPATIBLE_TRADING_TYPE = "incompatible_trading_type"
    INTERNAL_ERROR = "internal_error"
    DISABLED_FUNDS_TRANSFER_ERROR = "disabled_funds_transfer_error"
    UNSUPPORTED_ACTION_TYPE = "unsupported_action_type"
    ACTION_DEPENDENCY_ERROR = "action_dependency_error"
    MAX_ATTEMPTS_EXCEEDED = "max_attempts_exceeded"
    DSL_EXECUTION_ERROR = "dsl_execution_error"
    LIMIT_EXCEEDED = "limit_exceeded"
    REJECTED_BY_USER = "rejected_by_user"

    @property
    def sentence(self) -> str:
        """The status as a short sentence, for errors that carry no message of their own."""
        return self.value.replace("_", " ").capitalize()


class OctoflowError(Exception):
    """Base of all errors that the engine raises on purpose."""

    code: str = "octoflow_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class ConfigurationError(OctoflowError):
    """The input is wrong in a way that only a person can put right."""

    code = "invalid_configuration"


class NoAutomationError(ConfigurationError):
    """The state names no automation."""

    code = "no_automation"


class SchemaVersionError(ConfigurationError):
    """The state was written by a newer release than this one."""

    code = "newer_schema"


class StateError(ConfigurationError):
    """The state does not have the form that `docs/state.md` describes."""

    code = "invalid_state"


class DagError(ConfigurationError):
    """The actions do not form a DAG: unknown ids, duplicates or a cycle."""

    code = "invalid_dag"


class InitializationRunFailedError(ConfigurationError):
    """The first run could not set up the exchange account that the automation needs."""

    code = "initialization_failed"


class RecordingEndedError(ConfigurationError):
    """A recorded market has nothing more of what is asked for.

    Attributes:
        ended_at: when its last candle closed, UNIX seconds.
    """

    code = "recording_ended"

    def __init__(self, message: str, *, ended_at: float) -> None:
        super().__init__(message)
        self.ended_at = ended_at


class PendingPriorityActionsSkippedError(ConfigurationError):
    """Priority actions were sent, but each of them has been executed before."""

    code = "priority_actions_skipped"


class RetryableError(OctoflowError):
    """Something outside failed before anything was changed; trying again is safe.

    Attributes:
        retry_after: seconds to wait before the next attempt, or None for the caller's own backoff.
    """

    code = "temporary_failure"

    def __init__(self, message: str, *, retry_after: float | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class PostponedError(OctoflowError):
    """An exchange cannot be used for longer than a retry lasts; the job turns it into a postponement.

    Attributes:
        reason: stable word for why, a key of `LiveSettings.postponements`.
    """

    code = "postponed"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TextPosition:
    """Where in a script something stands; lines and columns count from 1."""

    line: int
    column: int


class DslError(OctoflowError):
    """A script is wrong, or failed while it ran.

    Codes: `syntax, unknown_operator, invalid_parameters, invalid_parameter_format, evaluation,
    error_statement, limit_exceeded, unsupported`.

    Attributes:
        line, column: where in the script, from 1; None until the evaluator adds the position.
        excerpt: the line of the script with a caret below the place.
        suggestion: what to write instead, if there is an obvious candidate.
        status: the status of the action that ends with this error.
    """

    code = "evaluation"
    default_status: ClassVar[Mapping[str, ActionStatus]] = {"limit_exceeded": ActionStatus.LIMIT_EXCEEDED}

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        position: TextPosition | None = None,
        excerpt: str | None = None,
        suggestion: str | None = None,
        status: ActionStatus | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.position = position
        self.excerpt = excerpt
        self.suggestion = suggestion
        self.status = status or self.default_status.get(self.code, ActionStatus.DSL_EXECUTION_ERROR)

    @property
    def line(self) -> int | None:
        """Line of the script, from 1."""
        return self.position.line if self.position else None

    @property
    def column(self) -> int | None:
        """Column of the script, from 1."""
        return self.position.column if self.position else None

    def at(self, position: TextPosition, script: str) -> Self:
        """Add the position and its excerpt, unless the error already has one."""
        if self.position is None:
            self.position = position
            self.excerpt = caret_excerpt(script, position)
        return self

    def __str__(self) -> str:
        parts = [self.message]
        if self.position is not None:
            parts[0] = f"line {self.position.line}, column {self.position.column}: {self.message}"
        if self.excerpt:
            parts.append(self.excerpt)
        if self.suggestion:
            parts.append(self.suggestion)
        return "\n".join(parts)


def invalid_parameters(message: str, suggestion: str | None = None) -> DslError:
    """Return the error for arguments that an operator does not take."""
    return DslError(message, code="invalid_parameters", suggestion=suggestion)


class OperatorError(DslError):
    """An operator refused to act, for a reason that has a status of its own."""

    code = "error_statement"

    def __init__(self, status: ActionStatus, message: str | None = None) -> None:
        super().__init__(message or status.sentence, status=status)


class BelowMinimumError(OperatorError):
    """An order is smaller than what the exchange takes; with more funds it would not be."""

    def __init__(self, message: str) -> None:
        super().__init__(ActionStatus.INVALID_ORDER, message)


_EXCERPT_WIDTH = 80


def caret_excerpt(script: str, position: TextPosition) -> str:
    """Return the line at `position`, cut to a readable width, with a caret below the column."""
    lines = script.splitlines() or [""]
    line = lines[min(position.line, len(lines)) - 1]
    start = max(0, position.column - 1 - _EXCERPT_WIDTH // 2)
    shown = line[start : start + _EXCERPT_WIDTH]
    return f"  {shown}\n  {' ' * (position.column - 1 - start)}^"
