"""The activity `apply_edit`: other actions for an automation that runs."""

from __future__ import annotations

from dataclasses import asdict

from temporalio import activity

from activities.errors import as_application_errors
from activities.keys import check_keys
from activities.sizes import check_state_size
from activities.view import build_view
from engine.job import ActionChanges, InvocationOutcome, InvocationStatus, Services, apply_edit
from engine.masking import masking
from engine.state import dump_state, load_state
from workflows.messages import ApplyEdit, EditChanges, EditResult


class EditActivities:
    """The activity of a worker that changes automations, with the engine's services injected.

    Args:
        services: the operators that scripts may call.
        encrypted: whether nobody can read in Temporal what edits contain.
    """

    def __init__(self, services: Services | None = None, *, encrypted: bool = False) -> None:
        self._services = services or Services()
        self._encrypted = encrypted

    @activity.defn(name="apply_edit")
    async def apply_edit(self, request: ApplyEdit) -> EditResult:
        """Apply an edit to a state; nothing is executed.

        Raises:
            ApplicationError: the edit is wrong, and the state that was sent is still the valid one.
        """
        with masking(), as_application_errors():
            return self._apply(request)

    def _apply(self, request: ApplyEdit) -> EditResult:
        before, edit = load_state(request.state), request.edit
        after = apply_edit(before, edit.upsert, edit.remove, restart=edit.restart, services=self._services)
        state = dump_state(after)
        check_state_size(state)
        check_keys(after, encrypted=self._encrypted)
        nothing_ran = InvocationOutcome(
            status=InvocationStatus.RUNNING, iteration=before.iteration, next_due_at=0
        )
        return EditResult(
            state=state,
            changes=EditChanges(**asdict(ActionChanges.between(before, after))),
            view=build_view(after, nothing_ran, with_attributes=False),
        )
