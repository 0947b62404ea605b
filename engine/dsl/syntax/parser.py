"""Parses a script into its syntax tree: the one place that knows the parser generator."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from engine.dsl.limits import DEFAULT_LIMITS, Limits
from engine.dsl.source import brackets, error_at
from engine.dsl.syntax.nodes import Script
from engine.dsl.syntax.refusals import refusal

if TYPE_CHECKING:
    from lark import Lark, Token

GRAMMAR_VERSION: Final = 1
"""Raised when the same text may get another tree; suspensions of older versions start anew."""

_OPENING: Final = frozenset({"_LPAR", "LSQB", "LBRACE"})
_CLOSING: Final = frozenset({"_RPAR", "_RSQB", "_RBRACE"})


class _Lines:
    """Drops the newlines inside brackets."""

    always_accept = ("_NEWLINE",)

    def process(self, tokens: Iterator[Token]) -> Iterator[Token]:
        depth = 0
        for token in tokens:
            kind = token.type
            if kind in _OPENING:
                depth += 1
            elif kind in _CLOSING:
                depth -= 1
            elif kind == "_NEWLINE" and depth > 0:
                continue
            yield token


@cache
def _parser() -> Lark:
    # Importing lark and building its tables takes 0.1 s; processes that run no script never need them.
    from lark import Lark

    from engine.dsl.syntax.tree_builder import TreeBuilder

    grammar = files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        start="script",
        parser="lalr",
        lexer="contextual",
        transformer=TreeBuilder(),
        postlex=_Lines(),
        maybe_placeholders=True,
    )


def parse(text: str, limits: Limits = DEFAULT_LIMITS) -> Script:
    """Return the syntax tree of a script.

    Raises:
        DslError: `syntax` or `unsupported`, positioned; `limit_exceeded`, over the limits.
    """
    from lark.exceptions import UnexpectedInput, UnexpectedToken

    from engine.dsl.syntax.tree_builder import Misplaced

    _check_size(text, limits)
    try:
        tree: Any = _parser().parse(text)
    except UnexpectedInput as error:
        at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        offset = len(text) if at_end or error.pos_in_stream is None else error.pos_in_stream
        expected = getattr(error, "expected", None) or getattr(error, "allowed", None) or ()
        raise refusal(text, offset, frozenset(expected)) from None
    except Misplaced as error:
        raise error_at(text, error.at, error.message, code=error.code, suggestion=error.suggestion) from None
    script: Script = tree
    return script


def _check_size(text: str, limits: Limits) -> None:
    """Refuse texts that are too long, too deeply nested, or not Unicode, before anything is parsed."""
    if len(text) > limits.text_length:
        raise error_at(
            text[:200],
            0,
            f"the script has {len(text):,} characters; {limits.text_length:,} are allowed",
            code="limit_exceeded",
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = "the script holds a character that is not Unicode text"
        raise error_at(text[: error.start], error.start, message, code="syntax") from None
    depth = 0
    for offset, sign in brackets(text):
        if sign in "([{":
            depth += 1
            if depth > limits.nesting:
                message = f"brackets are nested more than {limits.nesting} deep"
                raise error_at(text, offset, message, code="limit_exceeded")
        elif depth:
            depth -= 1
