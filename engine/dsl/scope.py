"""The names that an expression can use besides operators, each with the slot its value is in."""

from __future__ import annotations

from typing import Final

PLACEHOLDER: Final = "LOCAL_VALUE_PLACEHOLDER"
"""Name of the value that a `value_if` condition is about."""


class Scope:
    """Slots of one script: references and parameters first come, then locals and placeholders.

    Attributes:
        references: slot by action id.
        parameters: slot by parameter name.
        places: offset of the first use of each reference and parameter, by slot.
        size: number of slots.
    """

    def __init__(self) -> None:
        self.references: dict[str, int] = {}
        self.parameters: dict[str, int] = {}
        self.places: dict[int, int] = {}
        self.size = 0
        self._locals: dict[str, int] = {}
        self._placeholders: list[int] = []

    def new_slot(self) -> int:
        """Return a slot that nothing else uses."""
        self.size += 1
        return self.size - 1

    def reference(self, action: str, at: int) -> int:
        """Return the slot of another action's result."""
        return self._named(self.references, action, at)

    def parameter(self, name: str, at: int) -> int:
        """Return the slot of an `UNRESOLVED_PARAMETER`."""
        return self._named(self.parameters, name, at)

    def _named(self, slots: dict[str, int], name: str, at: int) -> int:
        if name not in slots:
            slots[name] = self.new_slot()
            self.places[slots[name]] = at
        return slots[name]

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
