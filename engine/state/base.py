"""What all state models share: lenient reading, exact decimals, absent defaults."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer

from engine.values import format_decimal

Money = Annotated[Decimal, PlainSerializer(format_decimal, return_type=str, when_used="json")]
"""An amount or a price: exact, a decimal string when dumped, read from strings and numbers."""


class StateModel(BaseModel):
    """A part of `AutomationState`.

    Unknown fields are ignored, so that a state written by a newer patch release still loads.
    """

    model_config = ConfigDict(extra="ignore")
