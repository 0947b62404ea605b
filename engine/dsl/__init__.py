"""The expression language: grammar, parser, typed syntax tree, evaluator and operator registry."""

from engine.dsl.compiling import DataDependency
from engine.dsl.executor import Done, DSLExecutor, Waiting
from engine.dsl.limits import DEFAULT_LIMITS, Limits
from engine.dsl.registry import (
    Choice,
    Defaults,
    Directive,
    EffectCount,
    ExpressionText,
    Kind,
    Lazy,
    LazyValue,
    Notify,
    Number,
    OperatorContext,
    OperatorDefinition,
    OperatorRegistry,
    OperatorSet,
    Range,
    ReCallingOperatorResult,
    ScriptContext,
    Series,
    StopAutomation,
    SymbolParam,
    TimeFrameParam,
    Unit,
    UpdateConfiguration,
    operator,
)
from engine.dsl.running import add, check_number, is_hashable, is_nan, less, lookup, power, truth
from engine.dsl.script import CompiledScript, compile_script

__all__ = ["DataDependency", "DSLExecutor", "Done", "Waiting", "DEFAULT_LIMITS", "Limits", "Choice"]
__all__ += ["Defaults", "Directive", "EffectCount", "ExpressionText", "Kind", "Lazy", "LazyValue", "Notify"]
__all__ += ["Number", "OperatorContext", "OperatorDefinition", "OperatorRegistry", "OperatorSet", "Range"]
__all__ += ["ReCallingOperatorResult", "ScriptContext", "Series", "StopAutomation", "SymbolParam"]
__all__ += ["TimeFrameParam", "Unit", "UpdateConfiguration", "operator", "add", "check_number"]
__all__ += ["is_hashable", "is_nan", "less", "lookup", "power", "truth", "CompiledScript", "compile_script"]
