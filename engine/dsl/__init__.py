"""The expression language: grammar, parser, typed syntax tree, evaluator and operator registry."""

from engine.dsl.context import (
    Defaults,
    Directive,
    Notify,
    OperatorContext,
    ReCallingOperatorResult,
    ScriptContext,
    StopAutomation,
    UpdateConfiguration,
)
from engine.dsl.limits import Limits
from engine.dsl.markers import (
    Choice,
    ExpressionText,
    Lazy,
    LazyValue,
    Number,
    Range,
    Series,
    SymbolParam,
    TimeFrameParam,
    Unit,
)
from engine.dsl.registry import Kind, OperatorDefinition, OperatorRegistry, OperatorSet, operator

__all__ = [
    "Choice",
    "Defaults",
    "Directive",
    "ExpressionText",
    "Kind",
    "Lazy",
    "LazyValue",
    "Limits",
    "Notify",
    "Number",
    "OperatorContext",
    "OperatorDefinition",
    "OperatorRegistry",
    "OperatorSet",
    "Range",
    "ReCallingOperatorResult",
    "ScriptContext",
    "Series",
    "StopAutomation",
    "SymbolParam",
    "TimeFrameParam",
    "Unit",
    "UpdateConfiguration",
    "operator",
]
