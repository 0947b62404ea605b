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
        retry_after: seconds that an exchange asks to wait, as one does that has banned us for an hour.
    """

    message: str
    permanent: bool
    retry_after: float = 0

    @classmethod
    def of(cls, error: ActivityError) -> Failure:
        """Read the failure out of the error that the workflow gets."""
        match error.cause:
            case ApplicationError() as cause:
                asked = cause.next_retry_delay
                return cls(cause.message, cause.non_retryable, asked.total_seconds() if asked else 0)
            case exceptions.TimeoutError() as cause:
                kind = cause.type.name.lower().replace("_", " ") if cause.type else "time"
                return cls(f"no worker completed the invocation ({kind} ran out)", permanent=False)
            case cause:
                return cls(str(cause or error), permanent=False)


def retry_delay(failure: Failure, failures: int, settings: WorkflowSettings) -> float:
    """Return the seconds to wait after so many failures in a row: doubling, bounded, or what is asked for.

    Args:
        failure: the last one.
        failures: how many there were.
        settings: the first delay and the longest.
    """
    doublings = min(failures - 1, 32)  # beyond, any first delay has reached the bound
    return max(failure.retry_after, min(settings.first_delay * 2.0**doublings, settings.longest_delay))
