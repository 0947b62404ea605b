"""The activity that edits: other actions in, the engine's refusals as Temporal's."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.editing import EditActivities
from tests.support.builders import action, scripts
from workflows.messages import ApplyEdit, EditRequest, EditResult, Json


async def edit(state: Json, **request: Any) -> EditResult:
    """Apply one edit in an activity of its own."""
    return await ActivityEnvironment().run(
        EditActivities().apply_edit, ApplyEdit(state=state, edit=EditRequest(**request))
    )


async def test_an_edit_returns_the_new_state_what_changed_and_how_it_looks() -> None:
    result = await edit(scripts("1", "2"), upsert=[action("a0", "10"), action("new", "$a0")], remove=["a1"])

    stored = result.state["automation"]["actions_dag"]["actions"]
    assert [(one["id"], one["dsl_script"]) for one in stored] == [("a0", "10"), ("new", "$a0")]
    changes = result.changes
    assert (changes.added, changes.changed, changes.removed) == (["new"], ["a0"], ["a1"])
    assert "| new | pending |" in result.view.details
    assert result.view.next_actions == "a0, new"


async def test_a_wrong_edit_fails_for_good_with_all_its_problems() -> None:
    with pytest.raises(ApplicationError) as caught:
        await edit(scripts("1"), upsert=[action("b", "1 +")], remove=["ghost"])

    assert caught.value.type == "EditError"
    assert caught.value.details == ({"code": "invalid_edit"},)
    assert caught.value.non_retryable
    assert "action 'b': line 1" in caught.value.message
    assert "no action 'ghost' to remove" in caught.value.message


async def test_an_edit_that_makes_the_state_too_large_is_refused() -> None:
    with pytest.raises(ApplicationError, match="more than 1,000,000") as caught:
        await edit(scripts("1"), upsert=[action(f"b{number}", f"'{'x' * 9000}'") for number in range(120)])

    assert caught.value.details == ({"code": "state_too_large"},)
