"""Text becomes a typed tree, and a tree becomes text."""

from engine.dsl.syntax import nodes
from engine.dsl.syntax.nodes import (
    Argument,
    Arithmetic,
    Call,
    ChainLink,
    Comparison,
    Conditional,
    Constant,
    DictLiteral,
    Expression,
    ListLiteral,
    Logical,
    Name,
    Node,
    Not,
    Power,
    Reference,
    Script,
    Signed,
    Slice,
    Subscript,
    Unresolved,
    children,
)
from engine.dsl.syntax.parser import GRAMMAR_VERSION, parse
from engine.dsl.syntax.printer import unparse

__all__ = ["nodes", "Argument", "Arithmetic", "Call", "ChainLink", "Comparison", "Conditional", "Constant"]
__all__ += ["DictLiteral", "Expression", "ListLiteral", "Logical", "Name", "Node", "Not", "Power"]
__all__ += ["Reference", "Script", "Signed", "Slice", "Subscript", "Unresolved", "children"]
__all__ += ["GRAMMAR_VERSION", "parse", "unparse"]
