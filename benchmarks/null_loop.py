"""The peer of the automation loop: activities that do nothing, with a state of the same size."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import activity, workflow


@activity.defn
async def do_nothing(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state that came in."""
    return state


@workflow.defn
class NullLoop:
    """Calls an activity that does nothing, again and again."""

    def __init__(self) -> None:
        self._rounds = 0
        self._stopped = False

    @workflow.run
    async def run(self, state: dict[str, Any]) -> None:
        """Loop until stopped."""
        while not self._stopped:
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(state)
            state = await workflow.execute_activity(
                do_nothing, state, start_to_close_timeout=timedelta(seconds=30)
            )
            self._rounds += 1

    @workflow.signal
    def stop(self) -> None:
        """End after the activity that runs."""
        self._stopped = True

    @workflow.query
    def rounds(self) -> int:
        """How many activities were run."""
        return self._rounds
