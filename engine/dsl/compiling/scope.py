"""The names that an expression can use besides operators, each with the slot its value is in."""

from __future__ import annotations

from typing import Final

PLACEHOLDER: Final = "LOCAL_VALUE_PLACEHOLDER"
"""Name of the value that a `value_if` condition is about."""


class Scope:
    """The locals and placeholders of one script.

    Attributes:
        size: number of slots.
    """

    def __init__(self) -> None:
        self.size = 0
        self._locals: dict[str, int] = {}
        self._placeholders: list[int] = []

    def new_slot(self) -> int:
        """Return a slot that nothing else uses."""
        self.size += 1
        return self.size - 1

    def assign(self, name: str) -> int:
        """Return a new slot for a local; from now on the name means this one."""
        self._locals[name] = self.new_slot()
        return self._locals[name]

    def find(self, name: str) -> int | None:
        """Return the slot of a local or of the placeholder, or None."""
        if name == PLACEHOLDER:
            return self._placeholders[-1] if self._placeholders else None
        return self._locals.get(name)

    def local_names(self) -> list[str]:
        """Return the names that were assigned so far."""
        return list(self._locals)

    def enter_placeholder(self) -> int:
        """Make the placeholder usable, with a slot of its own, until `leave_placeholder`."""
        self._placeholders.append(self.new_slot())
        return self._placeholders[-1]

    def leave_placeholder(self) -> None:
        """End the innermost `enter_placeholder`."""
        self._placeholders.pop()
