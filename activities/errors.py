"""How engine errors cross into Temporal: type, code and message stay, the reaction becomes a retry rule."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from engine.errors import OctoflowError, RetryableError
from engine.masking import mask

RATE_LIMITED: Final = "rate_limited"
"""Code of errors that are part of normal life and belong into no error log."""

logger = logging.getLogger("octoflow.activities")


@contextmanager
def as_application_errors() -> Iterator[None]:
    """Let what is raised inside this context leave it as the error that Temporal records."""
    try:
        yield
    except ApplicationError:
        raise
    except Exception as error:
        raise application_error(error) from None


def application_error(error: Exception) -> ApplicationError:
    """Return the error that Temporal records.

    Only a `RetryableError`, or an error that nobody foresaw, is tried again. The stack trace of the
    latter goes to the log and nowhere else. Secrets of the current `masking` scope are in none of the texts.
    """
    match error:
        case RetryableError():
            benign = error.code == RATE_LIMITED
            return ApplicationError(
                mask(error.message),
                {"code": error.code},
                type=type(error).__name__,
                next_retry_delay=None if error.retry_after is None else timedelta(seconds=error.retry_after),
                category=ApplicationErrorCategory.BENIGN if benign else ApplicationErrorCategory.UNSPECIFIED,
            )
        case OctoflowError():
            return ApplicationError(
                mask(str(error)), {"code": error.code}, type=type(error).__name__, non_retryable=True
            )
        case _:
            logger.error("an invocation failed unexpectedly", exc_info=error)
            return ApplicationError(mask(f"{type(error).__name__}: {error}"), type=type(error).__name__)
