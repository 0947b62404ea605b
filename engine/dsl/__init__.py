"""The expression language: grammar, parser, typed syntax tree, evaluator and operator registry."""

from engine.dsl.compiling.dependencies import Dependency
from engine.dsl.executor import Done, DSLExecutor, Waiting
from engine.dsl.limits import Limits
from engine.dsl.registry.context import (
    Defaults,
    Directive,
    EffectCount,
    Notify,
    OperatorContext,
    ReCallingOperatorResult,
    ScriptContext,
    StopAutomation,
    UpdateConfiguration,
)
from engine.dsl.registry.markers import (
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
from engine.dsl.registry.registry import Kind, OperatorDefinition, OperatorRegistry, OperatorSet, operator
from engine.dsl.script import CompiledScript, compile_script

__all__ = [
    "Choice",
    "CompiledScript",
    "DSLExecutor",
    "Defaults",
    "Dependency",
    "Directive",
    "Done",
    "EffectCount",
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
    "Waiting",
    "compile_script",
    "operator",
]
