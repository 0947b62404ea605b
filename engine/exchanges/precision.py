"""How the market list of an exchange counts precision: by its row, else by ccxt's class."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from engine.errors import ConfigurationError
from engine.exchanges.capabilities import STEPS, Precision
from engine.exchanges.imports import exchange_class
from engine.exchanges.table import EXCHANGES, capabilities_of

_MODES: Final[Mapping[int, Precision]] = MappingProxyType(
    {2: Precision(amount="places", price="places"), 3: Precision(amount="places", price="digits"), 4: STEPS}
)
"""ccxt's `precisionMode`: DECIMAL_PLACES, SIGNIFICANT_DIGITS, TICK_SIZE. Where prices count significant
digits, its classes cut amounts to decimal places all the same."""


def precision_of(exchange_id: str, mode: Any = None) -> Precision:
    """Return what `precision` means in an exchange's market list.

    Args:
        exchange_id: ccxt id; an unknown one counts in steps.
        mode: `precisionMode` of its client, where there is one; else ccxt's class is asked, unless the
            exchange has a row.
    """
    known = capabilities_of(exchange_id).precision
    if known is not None:
        return known
    if mode is None and exchange_id not in EXCHANGES:
        mode = _mode_of_class(exchange_id)
    return _MODES.get(mode, STEPS)


def _mode_of_class(exchange_id: str) -> Any:
    try:
        return exchange_class(exchange_id)({}).precisionMode
    except ConfigurationError:
        return None  # a recording may have any name
