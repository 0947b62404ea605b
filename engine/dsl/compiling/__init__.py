"""A typed tree becomes a program: names are resolved, calls bound, and the data that they need is found."""

from engine.dsl.compiling.compiler import Compiler
from engine.dsl.compiling.dependencies import DataDependency, extract
from engine.dsl.compiling.expressions import COMPILE
from engine.dsl.compiling.facts import Facts

__all__ = [
    "COMPILE",
    "Compiler",
    "DataDependency",
    "Facts",
    "extract",
]
