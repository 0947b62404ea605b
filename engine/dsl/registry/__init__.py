"""What a script may call: operators, their signatures, and the types of their arguments."""

from engine.dsl.registry.argument_binding import (
    ArgumentPlace,
    choose_parameters,
    lay_out,
    refused_value,
)
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

__all__ = ["ArgumentPlace", "choose_parameters", "lay_out", "refused_value", "REFUSED", "Defaults"]
__all__ += ["Directive", "EffectCount", "Notify", "OperatorContext", "ReCallingOperatorResult"]
__all__ += ["ScriptContext", "StopAutomation", "UpdateConfiguration", "Choice", "ExpressionText", "Lazy"]
__all__ += ["LazyValue", "Number", "Range", "Series", "SymbolParam", "TimeFrameParam", "Unit", "Kind"]
__all__ += ["OperatorDefinition", "OperatorRegistry", "OperatorSet", "Source", "Window", "closest"]
__all__ += ["operator", "Parameter"]
