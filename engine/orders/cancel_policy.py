"""Cancel policies: what takes an open order off the book besides its fill and its owner."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from engine.errors import invalid_parameters

EXPIRATION_TIME: Final = "ExpirationTimeOrderCancelPolicy"
CHAINED_PRICE: Final = "ChainedOrderFillingPriceOrderCancelPolicy"

PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    EXPIRATION_TIME: frozenset({"expiration_time"}),
    CHAINED_PRICE: frozenset(),
}
"""The policies, and the parameters that each needs."""


def read_cancel_policy(name: str | None, params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the form in which an order keeps its policy.

    `ExpirationTimeOrderCancelPolicy` ends an order at `expiration_time` (UNIX seconds);
    `ChainedOrderFillingPriceOrderCancelPolicy` ends an entry when the price reaches one of its exits first.

    Raises:
        DslError: `invalid_parameters`: no such policy, or not its parameters.
    """
    if name is None:
        if params:
            raise invalid_parameters("cancel_policy_params need a cancel_policy")
        return None
    needed = PARAMETERS.get(name)
    if needed is None:
        raise invalid_parameters(f"cancel_policy is one of {', '.join(PARAMETERS)}, not {name!r}")
    given = dict(params or {})
    if given.keys() != needed:
        raise invalid_parameters(
            f"{name} takes {', '.join(needed) or 'no parameters'}, not {', '.join(given) or 'none'}"
        )
    if not all(isinstance(value, int | float | Decimal) for value in given.values()):
        raise invalid_parameters(f"the parameters of {name} are numbers")
    return {"type": name, **{key: float(value) for key, value in given.items()}}
