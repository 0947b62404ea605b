"""What all state models share: reading what newer releases wrote, exact decimals, absent defaults."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, PlainSerializer

from engine.values import format_decimal

Money = Annotated[Decimal, PlainSerializer(format_decimal, return_type=str, when_used="json")]
"""An amount or a price: exact, a decimal string when dumped, read from strings and numbers."""


class StateModel(BaseModel):
    """A part of `AutomationState`.

    Fields that this release does not know are carried unread, and dumped again where they were: a newer
    worker wrote them, and must find them when the automation comes back to it. They stay with the thing that
    they are about, through copies (`model_copy`) and what `carrying` says; what is new has none.
    """

    model_config = ConfigDict(extra="allow")

    def carrying(self, before: StateModel | None) -> Self:
        """Return this as what became of `before`: with the fields of that which this release does not know.

        Of this thing alone, not of what is inside it.
        """
        unknown = before.__pydantic_extra__ if before is not None else None
        return self.model_copy(update=unknown) if unknown else self

    def without_unknown(self) -> Self:
        """Return this without fields that this release does not know, at any level.

        For what people send, and what scripts see: neither may hold what nobody here can read.
        """
        known = {name: _without_unknown(value) for name, value in self}
        copied = self.model_copy(update={name: known[name] for name in type(self).model_fields})
        object.__setattr__(copied, "__pydantic_extra__", {})
        return copied

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # What is unknown may be a secret.
        return [one for one in super().__repr_args__() if one[0] in type(self).model_fields]


def _without_unknown(value: Any) -> Any:
    if isinstance(value, StateModel):
        return value.without_unknown()
    if isinstance(value, list):
        return [_without_unknown(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_unknown(item) for key, item in value.items()}
    return value
