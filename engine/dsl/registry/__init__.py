"""What a script may call: operators, their signatures, and the types of their arguments."""

from engine.dsl.registry.argument_binding import ArgumentPlace, choose_parameters, lay_out, refused_value
from engine.dsl.registry.argument_types import REFUSED
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
from engine.dsl.registry.registry import (
    Kind,
    OperatorDefinition,
    OperatorRegistry,
    OperatorSet,
    Source,
    Window,
    closest,
    operator,
)
from engine.dsl.registry.signature import Parameter

__all__ = [
    "Choice",
    "Defaults",
    "Directive",
    "EffectCount",
    "ExpressionText",
    "Kind",
    "Lazy",
    "LazyValue",
    "Notify",
    "Number",
    "OperatorContext",
    "OperatorDefinition",
    "OperatorRegistry",
    "OperatorSet",
    "Parameter",
    "ArgumentPlace",
    "REFUSED",
    "Range",
    "ReCallingOperatorResult",
    "ScriptContext",
    "Series",
    "Source",
    "StopAutomation",
    "SymbolParam",
    "TimeFrameParam",
    "Unit",
    "UpdateConfiguration",
    "Window",
    "choose_parameters",
    "closest",
    "lay_out",
    "operator",
    "refused_value",
]
