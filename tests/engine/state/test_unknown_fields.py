"""What a newer release wrote into a state, and this one does not know, is carried unread at every level."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings

from engine.state import AuthDetails, dump_state, load_state
from tests.support.state_tree import (
    complete_state,
    in_full,
    json_objects,
    models,
    objects,
    planted,
    pruned,
    raw_states,
    unknown_field,
)


@settings(max_examples=20)
@given(raw=raw_states(), unknown=json_objects())
def test_loading_and_dumping_gives_back_every_unknown_field(
    raw: dict[str, Any], unknown: dict[str, Any]
) -> None:
    full = planted(in_full(raw), lambda identity: {**unknown_field(identity), **unknown})

    loaded = load_state(full)

    assert loaded.model_dump(mode="json") == full
    dumped = dump_state(loaded)
    assert load_state(dumped).model_dump(mode="json") == full
    assert json.dumps(dump_state(load_state(dumped))) == json.dumps(dumped)


@settings(max_examples=20)
@given(raw=raw_states())
def test_unknown_fields_change_nothing_of_what_is_known(raw: dict[str, Any]) -> None:
    known = json.dumps(dump_state(load_state(raw)))

    carrying = dump_state(load_state(planted(in_full(raw))))

    assert json.dumps(dump_state(load_state(pruned(carrying)))) == known


@settings(max_examples=20)
@given(raw=raw_states())
def test_copies_keep_unknown_fields(raw: dict[str, Any]) -> None:
    state = load_state(planted(in_full(raw)))

    assert dump_state(state.model_copy(deep=True)) == dump_state(state)
    assert dump_state(state.model_copy()) == dump_state(state)


def test_unknown_fields_may_be_named_like_anything_that_a_model_has() -> None:
    taken = {name: [1] for model in models() for name in dir(model) if name not in model.model_fields}
    raw = in_full({"automation": {"metadata": {"automation_id": "test"}}})
    fields = {name for model in models() for name in model.model_fields}
    full = planted(raw, lambda _: {name: value for name, value in taken.items() if name not in fields})

    assert load_state(full).model_dump(mode="json") == full


def test_these_states_reach_every_model() -> None:
    assert {model for model, _, _ in objects(complete_state())} == models()


def test_what_is_unknown_is_never_shown() -> None:
    auth = AuthDetails.model_validate({"credential_ref": "env:KEYS", "later_secret": "hunter2"})

    assert "hunter2" not in repr(auth)
    assert "hunter2" not in str(auth)
