"""The model tree of `AutomationState`: states made from it, and unknown fields planted at every level.

All of it follows the annotations of the models, so that a model that is added later is covered by itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Final, Literal, NewType, Union, get_args, get_origin

from hypothesis import strategies as st

from engine.state import AuthDetails, AutomationState, load_state
from engine.state.base import StateModel

Raw = dict[str, Any]
Identity = tuple[str, ...]
"""What a thing is, wherever it stands: its own id, or its owner's identity and its place there."""

Found = tuple[type[StateModel], Identity, Raw]
"""An object in the JSON form of a state: whose form it has, what it is, and itself."""

_OWN_IDS = ("key", "txid", "client_order_id", "id")
_IDS_AT_OWNER = ("symbol", "asset", "action_id")

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aé\x00", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=2)
    ),
    max_leaves=4,
)


def models(root: type[StateModel] = AutomationState) -> set[type[StateModel]]:
    """All models that a state consists of."""
    found: set[type[StateModel]] = set()
    waiting = [root]
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            waiting += [one for field in model.model_fields.values() for one in models_in(field.annotation)]
    return found


def models_in(annotation: Any) -> set[type[StateModel]]:
    """The models that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, StateModel):
        return {annotation}
    return set().union(*(models_in(part) for part in get_args(annotation)))


def objects(raw: Raw, model: type[StateModel] = AutomationState) -> Iterator[Found]:
    """Every object in the JSON form of a state that is a model's."""
    yield from _objects(model, raw, (model.__name__,))


def unknown_field(identity: Identity) -> Raw:
    """Fields that no release has had yet, with all kinds of JSON values; they tell where they belong."""
    return {
        "later_nothing": None,
        "later_false": False,
        "later_list": [1, 2.5, None, {"metadata": []}],
        "later": {"of": "/".join(identity), "id": {"deeper": {"status": None}}},
    }


def in_full(raw: Mapping[str, Any]) -> Raw:
    """The same state with every field, those at their default too."""
    return load_state(raw).model_dump(mode="json")


def planted(raw: Raw, unknown: Callable[[Identity], Raw] = unknown_field) -> Raw:
    """The same state, with unknown fields in every object of a model."""
    grown = copy.deepcopy(raw)
    for _, identity, found in list(objects(grown)):
        found.update(unknown(identity))
    return grown


def unknown_in(raw: Raw) -> dict[Identity, Raw]:
    """The unknown fields of a state, by what they were found on; nothing where there are none."""
    return {
        identity: {name: value for name, value in found.items() if name not in model.model_fields}
        for model, identity, found in objects(raw)
    }


def pruned(raw: Raw) -> Raw:
    """The same state without unknown fields."""
    bare = copy.deepcopy(raw)
    for model, _, found in list(objects(bare)):
        for name in found.keys() - model.model_fields.keys():
            del found[name]
        if "params" in found:  # of an intent: an order in its JSON form
            found["params"] = _without_planted(found["params"])
    return bare


def complete_state() -> Raw:
    """A state with all fields that go together, and with one of everything that there may be several of."""
    return {**_sample(AutomationState, 0), "schema_version": 1}


def raw_states() -> st.SearchStrategy[Raw]:
    """States in their JSON form that lack some of the fields that they may lack."""
    optional = sorted(_optional(AutomationState, complete_state(), ()))
    return st.sets(st.sampled_from(optional), max_size=12).map(_lacking)


def json_objects() -> st.SearchStrategy[Raw]:
    """Unknown fields with any JSON values."""
    return st.dictionaries(st.text("xyz", min_size=1, max_size=2).map("later_{}".format), _JSON, max_size=2)


def _without_planted(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_planted(inner) for name, inner in value.items() if not name.startswith("later")
        }
    return [_without_planted(item) for item in value] if isinstance(value, list) else value


def _lacking(paths: set[tuple[str | int, ...]]) -> Raw:
    raw = complete_state()
    for *way, last in sorted(paths, key=len, reverse=True):
        owner: Any = raw
        for step in way:
            owner = owner[step]
        del owner[last]
    return raw


def _optional(annotation: Any, value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Where the fields are that a state may lack."""
    model = next(iter(models_in(annotation)), None)
    if model is None or not value:
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _optional(model, item, (*path, index))
        return
    held = get_origin(annotation) is dict
    for name, inner in value.items():
        field = None if held else model.model_fields[name]
        if field is not None and not field.is_required() and name != "dsl_script":
            yield (*path, name)
        yield from _optional(model if field is None else field.annotation, inner, (*path, name))


def _sample(annotation: Any, depth: int) -> Any:
    kind, parts = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, NewType):
        return _sample(annotation.__supertype__, depth)
    if kind in (Annotated, Union, UnionType):
        return _sample(parts[0], depth)
    if kind is Literal:
        return parts[-1]
    if kind is list:
        return [_sample(parts[0], depth + 1)] if depth < _DEPTH else []
    if kind is dict:
        return {"BTC": _sample(parts[1], depth + 1)}
    if not isinstance(annotation, type) or annotation is Any:
        return {"any": [None, 1]}
    if issubclass(annotation, StateModel):
        left_out = _LEFT_OUT.get(annotation.__name__, ())
        fields = annotation.model_fields.items()
        return {name: _sample(field.annotation, depth + 1) for name, field in fields if name not in left_out}
    if issubclass(annotation, Enum):
        return next(iter(annotation)).value
    return _LEAVES[annotation]


_DEPTH: Final = 9
"""Deeper than any model but the orders that hang on orders, which hang on orders."""

_LEFT_OUT: Final = {"Action": ("action",), "AuthDetails": tuple(AuthDetails.model_fields)}
"""Fields that do not go together with others."""

_LEAVES: Final[Mapping[type, Any]] = {Decimal: "1.5", str: "text", bool: True, int: 3, float: 2.5}


def _objects(annotation: Any, value: Any, identity: Identity) -> Iterator[Found]:
    kind, parts = get_origin(annotation), get_args(annotation)
    if value is None or not models_in(annotation):
        return
    if kind in (Union, UnionType):
        for part in parts:
            yield from _objects(part, value, identity)
    elif kind is list:
        for item in value:
            yield from _objects(parts[0], item, _of_item(parts[0], item, identity))
    elif kind is dict:
        for key, item in value.items():
            yield from _objects(parts[1], item, (*identity, key))
    elif isinstance(annotation, type) and issubclass(annotation, StateModel):
        yield annotation, identity, value
        for name, field in annotation.model_fields.items():
            if name in value:
                yield from _objects(field.annotation, value[name], (*identity, name))
    else:
        raise TypeError(f"this walk does not know how {annotation} holds its models")


def _of_item(model: type[StateModel], item: Raw, owner: Identity) -> Identity:
    own = next((item[name] for name in _OWN_IDS if item.get(name)), None)
    if own is not None:
        return (model.__name__, own)
    return (*owner, next(item[name] for name in _IDS_AT_OWNER if item.get(name)))
