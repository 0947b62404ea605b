"""Builds the syntax tree while lark parses: one method per rule of grammar.lark."""

# ruff: noqa: D102 - every method is described by the rule of grammar.lark that it is named after

from __future__ import annotations

from typing import Any, NoReturn

from lark import Token, Transformer

from engine.dsl.limits import DEFAULT_LIMITS
from engine.dsl.syntax import nodes
from engine.dsl.syntax.literals import BadLiteralError, read_number, read_text

Children = list[Any]
_CONSTANTS = {"True": True, "False": False, "None": None}


class Misplaced(Exception):
    """Something that the grammar accepts but that has no place there."""

    def __init__(
        self, at: int, message: str, *, code: str = "unsupported", suggestion: str | None = None
    ) -> None:
        super().__init__(message)
        self.at = at
        self.message = message
        self.code = code
        self.suggestion = suggestion


def _offset(token: Token) -> int:
    return token.start_pos or 0


def _bad_literal(token: Token, error: BadLiteralError) -> NoReturn:
    code = "limit_exceeded" if "too large" in str(error) else "syntax"
    raise Misplaced(_offset(token), str(error), code=code) from None


class TreeBuilder(Transformer[Token, nodes.Script]):
    """Callbacks of the parser; holds no state, so one instance serves all parses."""

    # Lines.

    def script(self, lines: Children) -> nodes.Script:
        *locals_, result = lines
        for line in locals_:
            if not isinstance(line, nodes.Assignment):
                raise Misplaced(
                    line.at,
                    "the value of this line is not used",
                    suggestion="Give it a name, `name = …`, or keep only the last line.",
                )
        if isinstance(result, nodes.Assignment):
            raise Misplaced(
                result.at,
                "a script ends with an expression, whose value is the script's",
                suggestion=f"Add a last line, for example `{result.name}`.",
            )
        return nodes.Script(tuple(locals_), result)

    def assignment(self, children: Children) -> nodes.Assignment:
        name, value = children
        return nodes.Assignment(str(name), value, at=_offset(name))

    # Operators.

    def conditional(self, children: Children) -> nodes.Conditional:
        then, test, otherwise = children
        return nodes.Conditional(test, then, otherwise, at=then.at)

    def disjunction(self, operands: Children) -> nodes.Logical:
        return nodes.Logical("or", tuple(operands), at=operands[0].at)

    def conjunction(self, operands: Children) -> nodes.Logical:
        return nodes.Logical("and", tuple(operands), at=operands[0].at)

    def negation(self, children: Children) -> nodes.Not:
        *words, operand = children
        return nodes.Not(len(words), operand, at=_offset(words[0]))

    def comparison(self, children: Children) -> nodes.Comparison:
        return nodes.Comparison(children[0], self._steps(children), at=children[0].at)

    def arithmetic(self, children: Children) -> nodes.Arithmetic:
        return nodes.Arithmetic(children[0], self._steps(children), at=children[0].at)

    @staticmethod
    def _steps(children: Children) -> tuple[nodes.ChainLink, ...]:
        pairs = zip(children[1::2], children[2::2], strict=True)
        return tuple(
            nodes.ChainLink(" ".join(sign.split()), operand, at=_offset(sign)) for sign, operand in pairs
        )

    def signed(self, children: Children) -> nodes.Signed:
        *signs, operand = children
        return nodes.Signed(tuple(map(str, signs)), operand, at=_offset(signs[0]))

    def power(self, children: Children) -> nodes.Power:
        base, sign, exponent = children
        further = exponent.operands if isinstance(exponent, nodes.Power) else (exponent,)
        return nodes.Power((base, *further), at=_offset(sign))

    # Operands.

    def number(self, children: Children) -> nodes.Constant:
        (token,) = children
        try:
            value = read_number(token, DEFAULT_LIMITS.integer_bits)
        except BadLiteralError as error:
            _bad_literal(token, error)
        return nodes.Constant(value, at=_offset(token))

    def text(self, tokens: Children) -> nodes.Constant:
        parts = []
        for token in tokens:
            try:
                parts.append(read_text(token))
            except BadLiteralError as error:
                _bad_literal(token, error)
        return nodes.Constant("".join(parts), at=_offset(tokens[0]))

    def constant(self, children: Children) -> nodes.Constant:
        (token,) = children
        return nodes.Constant(_CONSTANTS[token], at=_offset(token))

    def name(self, children: Children) -> nodes.Name:
        (token,) = children
        return nodes.Name(str(token), at=_offset(token))

    def call(self, children: Children) -> nodes.Call:
        name, arguments = children
        return nodes.Call(str(name), tuple(arguments or ()), at=_offset(name))

    def list_literal(self, children: Children) -> nodes.ListLiteral:
        bracket, items = children
        return nodes.ListLiteral(tuple(items or ()), at=_offset(bracket))

    def dict_literal(self, children: Children) -> nodes.DictLiteral:
        bracket, entries = children
        return nodes.DictLiteral(tuple(entries or ()), at=_offset(bracket))

    def items(self, items: Children) -> Children:
        return items

    def subscript(self, children: Children) -> nodes.Expression:
        value, bracket, index = children
        return self._step(value, index, _offset(bracket))

    def slice(self, children: Children) -> Children:
        return children

    def sliced(self, children: Children) -> nodes.Slice:
        value, bracket, (start, stop, step) = children
        return nodes.Slice(value, start, stop, step, at=_offset(bracket))

    # References.

    def action(self, children: Children) -> nodes.Reference:
        (token,) = children
        return nodes.Reference(str(token[1:]), at=_offset(token))

    def step_by_key(self, children: Children) -> nodes.Expression:
        value, token = children
        return self._step(value, nodes.Constant(str(token[1:]), at=_offset(token)), _offset(token))

    step_by_index = subscript

    @staticmethod
    def _step(value: nodes.Expression, index: nodes.Expression, at: int) -> nodes.Expression:
        key = _constant_step(index)
        if isinstance(value, nodes.Reference) and key is not None:
            return nodes.Reference(value.action, (*value.path, key), at=value.at)
        return nodes.Subscript(value, index, at=at)

    # Arguments and entries.

    def arguments(self, arguments: Children) -> Children:
        return arguments

    def positional(self, children: Children) -> nodes.Argument:
        (value,) = children
        return nodes.Argument(value, at=value.at)

    def keyword(self, children: Children) -> nodes.Argument:
        name, value = children
        return nodes.Argument(value, str(name), at=_offset(name))

    def unresolved_keyword(self, children: Children) -> nodes.Argument:
        name, word = children
        return nodes.Argument(nodes.Unresolved(str(name), at=_offset(word)), str(name), at=_offset(name))

    def spread(self, children: Children) -> nodes.Argument:
        sign, value = children
        return nodes.Argument(value, spread=True, at=_offset(sign))

    def entries(self, entries: Children) -> Children:
        return entries

    def dict_entry(self, children: Children) -> nodes.DictEntry:
        key, value = children
        return nodes.DictEntry(key, value, at=key.at)

    def unresolved_entry(self, children: Children) -> nodes.DictEntry:
        key, word = children
        if not (isinstance(key, nodes.Constant) and isinstance(key.value, str)):
            raise Misplaced(key.at, "the key of an UNRESOLVED_PARAMETER is its name, and must be a text")
        return nodes.DictEntry(key, nodes.Unresolved(key.value, at=_offset(word)), at=key.at)

    def dict_spread(self, children: Children) -> nodes.DictEntry:
        sign, value = children
        return nodes.DictEntry(None, value, at=_offset(sign))


def _constant_step(index: nodes.Expression) -> str | int | None:
    """Return the key or index of a step that is known already, else None."""
    if isinstance(index, nodes.Signed) and index.signs == ("-",):
        inner = _constant_step(index.operand)
        return -inner if isinstance(inner, int) else None
    if (
        isinstance(index, nodes.Constant)
        and isinstance(index.value, str | int)
        and not isinstance(index.value, bool)
    ):
        return index.value
    return None
