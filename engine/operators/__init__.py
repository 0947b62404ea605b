"""The operators that scripts can use: one module per set, whose `OperatorSet` is called `SET`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from engine.dsl import OperatorRegistry, OperatorSet
from engine.errors import ConfigurationError
from engine.operators.outcomes import done, later

__all__ = ["ENTRY_POINT_GROUP", "default_registry", "done", "later"]


ENTRY_POINT_GROUP: Final = "octoflow.operators"
"""Third-party packages name their operator sets here: `my_set = "my_package.operators:SET"`."""

_BUILT_IN: Final = (
    "math",
    "collection",
    "text",
    "time",
    "control",
    "automation",
    "market_data",
    "indicators",
    "portfolio",
    "orders",
)


@cache
def default_registry() -> OperatorRegistry:
    """Return the registry of the built-in operator sets and of those that installed packages add.

    Raises:
        ConfigurationError: an entry point does not load, or adds an operator that exists.
    """
    built_in = [import_module(f"engine.operators.{name}").SET for name in _BUILT_IN]
    return OperatorRegistry([*built_in, *_third_party_sets()])


def _third_party_sets() -> list[OperatorSet]:
    sets = []
    for entry_point in sorted(entry_points(group=ENTRY_POINT_GROUP)):
        try:
            loaded = entry_point.load()
        except Exception as error:
            raise ConfigurationError(
                f"the operator set {entry_point.name} ({entry_point.value}) does not load: {error}",
                code="operator_set_broken",
            ) from error
        if not isinstance(loaded, OperatorSet):
            raise ConfigurationError(
                f"the entry point {entry_point.name} ({entry_point.value}) is a {type(loaded).__name__}, "
                "not an OperatorSet",
                code="operator_set_broken",
            )
        sets.append(loaded)
    return sets
