"""Remembers which columns of candles were found sound, so that each is examined once for all that read it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Examined:
    """Pairs of a column and a period that one indicator needs no care for.

    Only read-only columns are remembered, as those of candles are: what they hold cannot change. They are
    forgotten when nothing else refers to them.
    """

    __slots__ = ("_columns",)

    def __init__(self) -> None:
        self._columns: dict[tuple[int, int], weakref.ref[Floats]] = {}

    def knows(self, column: Floats, period: int) -> bool:
        """Tell whether a column is known to be sound."""
        known = self._columns.get((id(column), period))
        return known is not None and known() is column

    def add(self, column: Floats, period: int) -> None:
        """Remember a column, if it cannot change."""
        if not column.flags.writeable:
            key = id(column), period
            columns = self._columns
            columns[key] = weakref.ref(column, lambda gone: _forget(columns, key, gone))


def _forget(
    columns: dict[tuple[int, int], weakref.ref[Floats]], key: tuple[int, int], gone: weakref.ref[Floats]
) -> None:
    """Drop a column that is gone, unless another one has its place by now."""
    if columns.get(key) is gone:
        del columns[key]
