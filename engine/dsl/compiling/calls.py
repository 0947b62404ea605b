"""Compiles calls: finds the operator, binds and checks the arguments, and notes what the call depends on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from engine.dsl.compiling.compiler import Compiler
from engine.dsl.compiling.facts import DataRequest, IndicatorCall
from engine.dsl.compiling.scope import PLACEHOLDER
from engine.dsl.registry import (
    REFUSED,
    Kind,
    OperatorDefinition,
    Parameter,
    SymbolParam,
    TimeFrameParam,
    choose_parameters,
    lay_out,
    refused_value,
)
from engine.dsl.running import (
    SCALARS,
    Bound,
    BoundArgument,
    CallPlan,
    Code,
    Formula,
    all_needs,
    call,
    constant_code,
    plain_call,
    reading,
    stepwise_call,
)
from engine.dsl.syntax import Argument, Call, Constant, DictLiteral, Expression, parse
from engine.errors import DslError
from engine.types import CallSite

_APPLIED_TO_VALUE: Final = re.compile(r"[<>=!+\-*/%]|(?:in|is|and|or|if|not\s+in)\b")
"""How a condition's text starts when it is to be applied to the value."""

_INDEX: Final = re.compile(r"\[(?!.*\bLOCAL_VALUE_PLACEHOLDER\b)", re.DOTALL)
"""A text that starts with an index, such as `[0] > 1`; one that names the value starts with a list."""

_FALSE_FRIENDS: Final = {"true": "True", "false": "False", "null": "None", "none": "None", "nil": "None"}


class CallCompiler:
    """The part of a `Compiler` that compiles calls."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler

    def call(self, node: Call, origin: Expression) -> Code:
        """Compile one call, which stands in the tree as itself or as a bare name.

        Raises:
            DslError: `unknown_operator` or `invalid_parameters`, positioned.
        """
        compiler = self._compiler
        definition = self._definition(node)
        compiler.facts.calls.append(definition)
        node_id = compiler.new_node()
        written = self._flattened(node.arguments)
        chosen = choose_parameters(definition, [argument.name for argument in written])
        if isinstance(chosen, tuple):
            index, error = chosen
            at = node.at if index < 0 else written[index].at
            raise compiler.error(at, error.message, code=error.code, suggestion=error.suggestion)
        arguments = [
            self._argument(definition, parameter, argument.value)
            for parameter, argument in zip(chosen, written, strict=True)
        ]
        at = compiler.offset(node.at)
        self._note_request(definition, node, id(origin), at, arguments)
        if definition.window is not None:
            given = {one.parameter.name: one.code for one in arguments if not one.parameter.takes_series}
            compiler.facts.indicators[id(origin)] = IndicatorCall(definition, given)
        call_site = CallSite(f"{definition.name}#{node_id}")
        places = lay_out(definition, chosen)
        return self._code(CallPlan(definition, at, node_id, call_site, tuple(arguments), places))

    def _code(self, plan: CallPlan) -> Code:
        definition = plan.definition
        codes = [argument.code for argument in plan.arguments]
        if definition.is_async or definition.suspends or not all(code.run for code in codes):
            return Code(plan.at, step=stepwise_call(plan))
        run = plain_call(plan)
        if definition.kind is not Kind.PURE:
            return Code(plan.at, run=run, formula=_reading(plan))
        code = self._compiler.fold(Code(plan.at, run=run, needs=all_needs(codes)))
        return code if code.is_constant else replace(code, formula=_formula(plan))

    def _definition(self, node: Call) -> OperatorDefinition:
        compiler = self._compiler
        definition = compiler.registry.get(node.name)
        if definition is not None:
            return definition
        if compiler.scope.find(node.name) is not None:
            raise compiler.error(node.at, f"{node.name} is a value and cannot be called", code="unsupported")
        near = _FALSE_FRIENDS.get(node.name) or compiler.registry.suggest(
            node.name, compiler.scope.local_names()
        )
        raise compiler.error(
            node.at,
            f"there is no operator {node.name}",
            code="unknown_operator",
            suggestion=f"Did you mean `{near}`?" if near else "`octoflow operators` lists them.",
        )

    def _flattened(self, arguments: Sequence[Argument]) -> list[Argument]:
        """Write the entries of `**{…}` out as keywords."""
        flat: list[Argument] = []
        for argument in arguments:
            if argument.spread:
                flat += self._flattened(self._spread(argument))
            else:
                flat.append(argument)
                if argument.name is None and len(flat) > 1 and flat[-2].name is not None:
                    message = "an argument without a name stands after one with a name"
                    raise self._compiler.error(argument.at, message, code="invalid_parameters")
        return flat

    def _spread(self, argument: Argument) -> list[Argument]:
        if not isinstance(argument.value, DictLiteral):
            raise self._compiler.error(
                argument.at,
                "`**` in a call takes a dict that is written out",
                code="unsupported",
                suggestion="Write `**{'name': value}`, or the keywords themselves.",
            )
        spread = []
        for entry in argument.value.entries:
            if entry.key is None:
                spread.append(Argument(entry.value, spread=True, at=entry.at))
            elif isinstance(entry.key, Constant) and isinstance(entry.key.value, str):
                spread.append(Argument(entry.value, entry.key.value, at=entry.at))
            else:
                message = "the keys of `**{…}` in a call are the texts of parameter names"
                raise self._compiler.error(entry.at, message, code="unsupported")
        return spread

    # Arguments.

    def _argument(
        self, definition: OperatorDefinition, parameter: Parameter, node: Expression
    ) -> BoundArgument:
        calls_before = len(self._compiler.facts.calls)
        placeholder = None
        if parameter.expression_text is None:
            code = self._compiler.expression(node)
        elif parameter.expression_text.with_placeholder:
            placeholder = self._compiler.scope.enter_placeholder()
            code = self._expression_or_text(definition, parameter, node, with_placeholder=True)
            self._compiler.scope.leave_placeholder()
        else:
            code = self._expression_or_text(definition, parameter, node, with_placeholder=False)
        if parameter.lazy and parameter.lazy.reads_only:
            self._refuse_effects(definition, parameter, node, calls_before)
        return BoundArgument(parameter, self._checked(definition, parameter, code), placeholder)

    def _expression_or_text(
        self,
        definition: OperatorDefinition,
        parameter: Parameter,
        node: Expression,
        *,
        with_placeholder: bool,
    ) -> Code:
        code = self._compiler.expression(node)
        if not isinstance(code.constant, str):
            return code
        text = code.constant.strip()
        if with_placeholder and not text:
            return constant_code(code.at, value=True)
        if with_placeholder and _is_applied(text):
            text = f"{PLACEHOLDER} {text}"
        try:
            script = parse(text, self._compiler.limits)
        except DslError as error:
            raise self._compiler.error(
                node.at,
                f"{definition.name}(): in the text for {parameter.name}: {error.message}",
                code=error.code,
                suggestion=error.suggestion,
            ) from None
        if script.assignments:
            message = f"{definition.name}(): the text for {parameter.name} is one expression, without locals"
            raise self._compiler.error(node.at, message, code="unsupported")
        self._compiler.facts.texts[id(node)] = script.result
        return self._compiler.embedded(script.result, node.at)

    def _refuse_effects(
        self, definition: OperatorDefinition, parameter: Parameter, node: Expression, calls_before: int
    ) -> None:
        for called in self._compiler.facts.calls[calls_before:]:
            if called.kind is Kind.EFFECT or called.suspends:
                raise self._compiler.error(
                    node.at,
                    f"{definition.name}(): its {parameter.name} is evaluated again and again, "
                    f"so it cannot call {called.name}()",
                    code="invalid_parameters",
                )

    def _checked(self, definition: OperatorDefinition, parameter: Parameter, code: Code) -> Code:
        """Check the value of a constant argument now."""
        if not code.is_constant or parameter.lazy:
            return code
        value = code.constant
        converted = parameter.check.convert(value)
        if converted is REFUSED:
            error = refused_value(definition.name, parameter, value)
            raise self._compiler.error(code.at, error.message, code=error.code, suggestion=error.suggestion)
        if type(converted) not in SCALARS and not isinstance(converted, str):
            return code
        return constant_code(code.at, converted)

    # Dependencies.

    def _note_request(
        self,
        definition: OperatorDefinition,
        node: Call,
        origin: int,
        at: int,
        arguments: Sequence[BoundArgument],
    ) -> None:
        if definition.source is None:
            return

        def given(marker: type) -> Code | None:
            return next((argument.code for argument in arguments if argument.parameter.marker(marker)), None)

        symbol, time_frame = given(SymbolParam), given(TimeFrameParam)
        self._compiler.facts.requests.append(DataRequest(definition, node, origin, at, symbol, time_frame))


def _is_applied(text: str) -> bool:
    return bool(_APPLIED_TO_VALUE.match(text) or _INDEX.match(text))


def _reading(plan: CallPlan) -> Formula | None:
    """Return the formula of a call that reads a series of candles, or None if it is another call."""
    definition = plan.definition
    if definition.kind is not Kind.READ or definition.source != "candles" or definition.returns != "series":
        return None
    if not (definition.takes_all_by_place and all(argument.code.is_constant for argument in plan.arguments)):
        return None
    arguments = [
        place.automation_field if known is None and place.automation_field else Bound(known)
        for place, known in zip(plan.places, plan.known_values(), strict=True)
    ]
    return reading(definition.name, definition.function, plan.call_site, arguments)


def _formula(plan: CallPlan) -> Formula | None:
    """Return the formula of a call that makes a series of series, or None if it cannot be one."""
    definition = plan.definition
    if definition.returns != "series" or not definition.takes_all_by_place:
        return None
    arguments: list[Formula | Bound] = []
    for place, known in zip(plan.places, plan.known_values(), strict=True):
        argument = None if place.argument is None else plan.arguments[place.argument]
        if argument is None or argument.code.is_constant:
            arguments.append(Bound(known))
        elif (
            argument.parameter.takes_series
            and argument.code.formula is not None
            and argument.code.formula.kind == "series"
        ):
            arguments.append(argument.code.formula)
        else:
            return None
    return call(definition.function, arguments)
