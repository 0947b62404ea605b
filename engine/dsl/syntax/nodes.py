"""The syntax tree of a script: frozen, hashable, with the position of every node.

Chains of one operator level (`a + b - c`, `a < b < c`, `a and b and c`) are one node with many operands, so
that no recursion over a tree is deeper than the brackets that a person wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Base of all nodes.

    Attributes:
        at: offset in the script's text; not part of a node's identity.
    """

    at: int = field(default=0, compare=False, repr=False)


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes that stand directly in a node, in their order."""
    for field_ in fields(node):
        value = getattr(node, field_.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Node):
                yield part


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """A literal number, text, `True`, `False` or `None`."""

    value: int | float | str | bool | None

    def __eq__(self, other: object) -> bool:
        """Compare with the type, so that `1`, `1.0` and `True` differ."""
        return (
            isinstance(other, Constant)
            and type(self.value) is type(other.value)
            and self.value == other.value
        )

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    """`[a, b]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class DictEntry(Node):
    """`key: value`, or `**value` when there is no key."""

    key: Expression | None
    value: Expression


@dataclass(frozen=True, slots=True)
class DictLiteral(Node):
    """`{key: value, **other}`."""

    entries: tuple[DictEntry, ...]


@dataclass(frozen=True, slots=True)
class Signed(Node):
    """A run of signs before an operand: `- -x`.

    Attributes:
        signs: as written; the last one is applied first.
    """

    signs: tuple[str, ...]
    operand: Expression


@dataclass(frozen=True, slots=True)
class Not(Node):
    """A run of `not` before an operand."""

    times: int
    operand: Expression


@dataclass(frozen=True, slots=True)
class Power(Node):
    """`a ** b ** c`, applied from the right."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ChainLink(Node):
    """One further operand of a chain, with the operator before it."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`a + b - c` or `a * b / c`, applied from the left; operators of one level only."""

    first: Expression
    rest: tuple[ChainLink, ...]


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """`a < b <= c`: all hold; a shared operand is evaluated once."""

    first: Expression
    rest: tuple[ChainLink, ...]


@dataclass(frozen=True, slots=True)
class Logical(Node):
    """`a and b and c` or `a or b or c`: short circuit, gives a bool."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`then if test else otherwise`."""

    test: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Argument(Node):
    """One argument of a call: `value`, `name=value` or `**value`."""

    value: Expression
    name: str | None = None
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A bare name: a local, or an operator called without arguments."""

    name: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`name(arguments)`."""

    name: str
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Subscript(Node):
    """`value[index]`."""

    value: Expression
    index: Expression


@dataclass(frozen=True, slots=True)
class Slice(Node):
    """`value[start:stop:step]`."""

    value: Expression
    start: Expression | None
    stop: Expression | None
    step: Expression | None


@dataclass(frozen=True, slots=True)
class Reference(Node):
    """`$action.key[0]`: the result of another action, and the way into it."""

    action: str
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Unresolved(Node):
    """`UNRESOLVED_PARAMETER`, under the name of the keyword or dict entry whose value it is."""

    name: str


Expression = (
    Constant
    | ListLiteral
    | DictLiteral
    | Signed
    | Not
    | Power
    | Arithmetic
    | Comparison
    | Logical
    | Conditional
    | Name
    | Call
    | Subscript
    | Slice
    | Reference
    | Unresolved
)


@dataclass(frozen=True, slots=True)
class Assignment(Node):
    """`name = value` on a line of its own."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Script(Node):
    """Local names, then the expression whose value is the script's."""

    assignments: tuple[Assignment, ...]
    result: Expression
