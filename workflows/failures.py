"""What a failed activity means for the automation, and when to try again."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import exceptions
from temporalio.exceptions import ActivityError, ApplicationError

from workflows.messages import WorkflowSettings


@dataclass(frozen=True)
class Failure:
    """Why an activity gave up.

    Attributes:
        message: for people.
        permanent: whether the same input would fail again, so that a person must change something.
    """

    message: str
    permanent: bool

    @classmethod
    def of(cls, error: ActivityError) -> Failure:
        """Read the failure out of the error that the workflow gets."""
        match error.cause:
            case ApplicationError() as cause:
                return cls(cause.message, cause.non_retryable)
            case exceptions.TimeoutError() as cause:
                kind = cause.type.name.lower().replace("_", " ") if cause.type else "time"
                return cls(f"no worker completed the invocation ({kind} ran out)", permanent=False)
            case cause:
                return cls(str(cause or error), permanent=False)


def retry_delay(failures: int, settings: WorkflowSettings) -> float:
    """Return the seconds to wait after so many failures in a row: doubling, bounded."""
    doublings = min(failures - 1, 32)  # beyond, any first delay has reached the bound
    return min(settings.first_delay * 2.0**doublings, settings.longest_delay)
