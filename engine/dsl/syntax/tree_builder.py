"""Builds the syntax tree while lark parses: one method per rule of grammar.lark."""

# ruff: noqa: D102 - every method is described by the rule of grammar.lark that it is named after

from __future__ import annotations

from typing import Any, NoReturn

from lark import Token, Transformer

from engine.dsl.limits import DEFAULT_LIMITS
from engine.dsl.syntax.literals import BadLiteralError, read_number, read_text
from engine.dsl.syntax.nodes import (
    Argument,
    Arithmetic,
    Assignment,
    Call,
    ChainLink,
    Comparison,
    Conditional,
    Constant,
    DictEntry,
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


class TreeBuilder(Transformer[Token, Script]):
    """Callbacks of the parser; holds no state, so one instance serves all parses."""

    # Lines.

    def script(self, lines: Children) -> Script:
        *locals_, result = lines
        for line in locals_:
            if not isinstance(line, Assignment):
                raise Misplaced(
                    line.at,
                    "the value of this line is not used",
                    suggestion="Give it a name, `name = …`, or keep only the last line.",
                )
        if isinstance(result, Assignment):
            raise Misplaced(
                result.at,
                "a script ends with an expression, whose value is the script's",
                suggestion=f"Add a last line, for example `{result.name}`.",
            )
        return Script(tuple(locals_), result)

    def assignment(self, children: Children) -> Assignment:
        name, value = children
        return Assignment(str(name), value, at=_offset(name))

    # Operators.

    def conditional(self, children: Children) -> Conditional:
        then, test, otherwise = children
        return Conditional(test, then, otherwise, at=then.at)

    def disjunction(self, operands: Children) -> Logical:
        return Logical("or", tuple(operands), at=operands[0].at)

    def conjunction(self, operands: Children) -> Logical:
        return Logical("and", tuple(operands), at=operands[0].at)

    def negation(self, children: Children) -> Not:
        *words, operand = children
        return Not(len(words), operand, at=_offset(words[0]))

    def comparison(self, children: Children) -> Comparison:
        return Comparison(children[0], self._steps(children), at=children[0].at)

    def arithmetic(self, children: Children) -> Arithmetic:
        return Arithmetic(children[0], self._steps(children), at=children[0].at)

    @staticmethod
    def _steps(children: Children) -> tuple[ChainLink, ...]:
        pairs = zip(children[1::2], children[2::2], strict=True)
        return tuple(ChainLink(" ".join(sign.split()), operand, at=_offset(sign)) for sign, operand in pairs)

    def signed(self, children: Children) -> Signed:
        *signs, operand = children
        return Signed(tuple(map(str, signs)), operand, at=_offset(signs[0]))

    def power(self, children: Children) -> Power:
        base, sign, exponent = children
        further = exponent.operands if isinstance(exponent, Power) else (exponent,)
        return Power((base, *further), at=_offset(sign))

    # Operands.

    def number(self, children: Children) -> Constant:
        (token,) = children
        try:
            value = read_number(token, DEFAULT_LIMITS.integer_bits)
        except BadLiteralError as error:
            _bad_literal(token, error)
        return Constant(value, at=_offset(token))

    def text(self, tokens: Children) -> Constant:
        parts = []
        for token in tokens:
            try:
                parts.append(read_text(token))
            except BadLiteralError as error:
                _bad_literal(token, error)
        return Constant("".join(parts), at=_offset(tokens[0]))

    def constant(self, children: Children) -> Constant:
        (token,) = children
        return Constant(_CONSTANTS[token], at=_offset(token))

    def name(self, children: Children) -> Name:
        (token,) = children
        return Name(str(token), at=_offset(token))

    def call(self, children: Children) -> Call:
        name, arguments = children
        return Call(str(name), tuple(arguments or ()), at=_offset(name))

    def list_literal(self, children: Children) -> ListLiteral:
        bracket, items = children
        return ListLiteral(tuple(items or ()), at=_offset(bracket))

    def dict_literal(self, children: Children) -> DictLiteral:
        bracket, entries = children
        return DictLiteral(tuple(entries or ()), at=_offset(bracket))

    def items(self, items: Children) -> Children:
        return items

    def subscript(self, children: Children) -> Expression:
        value, bracket, index = children
        return self._step(value, index, _offset(bracket))

    def slice(self, children: Children) -> Children:
        return children

    def sliced(self, children: Children) -> Slice:
        value, bracket, (start, stop, step) = children
        return Slice(value, start, stop, step, at=_offset(bracket))

    # References.

    def action(self, children: Children) -> Reference:
        (token,) = children
        return Reference(str(token[1:]), at=_offset(token))

    def step_by_key(self, children: Children) -> Expression:
        value, token = children
        return self._step(value, Constant(str(token[1:]), at=_offset(token)), _offset(token))

    step_by_index = subscript

    @staticmethod
    def _step(value: Expression, index: Expression, at: int) -> Expression:
        key = _constant_step(index)
        if isinstance(value, Reference) and key is not None:
            return Reference(value.action, (*value.path, key), at=value.at)
        return Subscript(value, index, at=at)

    # Arguments and entries.

    def arguments(self, arguments: Children) -> Children:
        return arguments

    def positional(self, children: Children) -> Argument:
        (value,) = children
        return Argument(value, at=value.at)

    def keyword(self, children: Children) -> Argument:
        name, value = children
        return Argument(value, str(name), at=_offset(name))

    def unresolved_keyword(self, children: Children) -> Argument:
        name, word = children
        return Argument(Unresolved(str(name), at=_offset(word)), str(name), at=_offset(name))

    def spread(self, children: Children) -> Argument:
        sign, value = children
        return Argument(value, spread=True, at=_offset(sign))

    def entries(self, entries: Children) -> Children:
        return entries

    def dict_entry(self, children: Children) -> DictEntry:
        key, value = children
        return DictEntry(key, value, at=key.at)

    def unresolved_entry(self, children: Children) -> DictEntry:
        key, word = children
        if not (isinstance(key, Constant) and isinstance(key.value, str)):
            raise Misplaced(key.at, "the key of an UNRESOLVED_PARAMETER is its name, and must be a text")
        return DictEntry(key, Unresolved(key.value, at=_offset(word)), at=key.at)

    def dict_spread(self, children: Children) -> DictEntry:
        sign, value = children
        return DictEntry(None, value, at=_offset(sign))


def _constant_step(index: Expression) -> str | int | None:
    """Return the key or index of a step that is known already, else None."""
    if isinstance(index, Signed) and index.signs == ("-",):
        inner = _constant_step(index.operand)
        return -inner if isinstance(inner, int) else None
    if (
        isinstance(index, Constant)
        and isinstance(index.value, str | int)
        and not isinstance(index.value, bool)
    ):
        return index.value
    return None
