"""Text becomes a typed tree, and a tree becomes text."""

from engine.dsl.syntax.nodes import (
    Argument,
    Arithmetic,
    Call,
    Comparison,
    Conditional,
    Constant,
    DictLiteral,
    Expression,
    ListLiteral,
    Logical,
    Name,
    Not,
    Power,
    Reference,
    Script,
    Signed,
    Slice,
    Subscript,
    Unresolved,
)
from engine.dsl.syntax.parser import GRAMMAR_VERSION, parse
from engine.dsl.syntax.printer import unparse

__all__ = ["Argument", "Arithmetic", "Call", "Comparison", "Conditional", "Constant", "DictLiteral"]
__all__ += ["Expression", "ListLiteral", "Logical", "Name", "Not", "Unresolved", "Power", "Reference"]
__all__ += ["Script", "Signed", "Slice", "Subscript", "GRAMMAR_VERSION", "parse", "unparse"]
