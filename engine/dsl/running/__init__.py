"""A program runs to its value, at once or to a place where it waits and goes on later."""

from engine.dsl.running import at_once, formulas, operands, resumable
from engine.dsl.running.arithmetic import add, check_number, is_hashable, power, signed, truth
from engine.dsl.running.calls import BoundArgument, CallPlan, plain_call, stepwise_call
from engine.dsl.running.code import OUTSIDE, UNKNOWN, Code, Stepwise, all_needs, constant_code
from engine.dsl.running.formulas import Bound, Formula, call, compiled, reading
from engine.dsl.running.frame import SCALARS, Frame, Run, Suspended
from engine.dsl.running.number_paths import (
    Careful,
    binary,
    careful_arithmetic,
    careful_comparison,
    with_constant_right,
)
from engine.dsl.running.sameness import is_nan, less, lookup

__all__ = ["at_once", "formulas", "operands", "resumable", "add", "check_number", "is_hashable", "power"]
__all__ += ["signed", "truth", "BoundArgument", "CallPlan", "plain_call", "stepwise_call", "Code"]
__all__ += ["OUTSIDE", "Stepwise", "UNKNOWN", "all_needs", "constant_code", "Bound", "Formula", "call"]
__all__ += ["compiled", "reading", "Frame", "Run", "SCALARS", "Suspended", "Careful", "binary"]
__all__ += ["careful_arithmetic", "careful_comparison", "with_constant_right", "is_nan", "less", "lookup"]
