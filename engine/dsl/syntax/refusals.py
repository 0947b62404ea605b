"""Says what is wrong with a text that the grammar does not accept, and what to write instead.

Most refused texts are Python: their construct is recognised by the text at the place where parsing stopped,
looked up in a table, and refused as `unsupported`. Everything else is a `syntax` error that says what was
expected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from engine.dsl.source import brackets, error_at, position_of
from engine.errors import DslError

_END_OF_OPERAND: Final = re.compile(r"[\w\])}'\"]$")


@dataclass(frozen=True, slots=True)
class _Construct:
    """Something of Python, by the text it starts with, that the language does without."""

    pattern: re.Pattern[str]
    name: str
    instead: str


def _construct(pattern: str, name: str, instead: str) -> _Construct:
    return _Construct(re.compile(pattern), name, instead)


_ANYWHERE: Final = (
    _construct(r"lambda\b", "lambda", "write the expression itself; a repeated part can be a local: `x = …`"),
    _construct(r"[fF][rR]?['\"]|[rR][fF]['\"]", "an f-string", "join texts with `+` and `str(value)`"),
    _construct(r"[bB][rR]?['\"]|[rR][bB]['\"]", "a bytes literal", "write a text: 'abc'"),
    _construct(r"\w+['\"]", "a prefixed text", "write a plain text: 'abc'"),
    _construct(r"\.\.\.", "an ellipsis", "write None"),
    _construct(
        r"\.\s*\w+\s*\(", "a method call", "call an operator: `upper(text)`, `get(dict, key, default)`"
    ),
    _construct(
        r"\.\s*[^\W\d]", "attribute access", "read a dict with `value['key']` or `get(value, 'key', default)`"
    ),
    _construct(r":=", "an assignment inside an expression", "put `name = value` on a line of its own before"),
    _construct(r"(?:\*\*|//|<<|>>|[-+*/%&|^@])=", "an augmented assignment", "write `name = name + value`"),
    _construct(r"<<|>>", "a bit shift", "multiply or divide by a power: `x * 2 ** n`, `x // 2 ** n`"),
    _construct(r"&&?", "the operator `&`", "write `and`"),
    _construct(r"\|\|?", "the operator `|`", "write `or`"),
    _construct(r"\^", "the operator `^`", "write `**` for a power, `!=` for exclusive or"),
    _construct(r"~", "the operator `~`", "write `not`, or `-x - 1`"),
    _construct(r"@", "the operator `@`", "write the sum out: `a[0] * b[0] + a[1] * b[1]`"),
    _construct(r"!(?!=)", "the operator `!`", "write `not`"),
    _construct(r"<>", "the operator `<>`", "write `!=`"),
    _construct(r"\?", "the operator `?`", "write `a if condition else b`"),
    _construct(r"`", "a backquote", "write a text in quotes: 'abc'"),
    _construct(r";", "a semicolon", "put every `name = value` on a line of its own"),
    _construct(r"\\", "a line continuation", "put brackets around an expression of several lines"),
    _construct(r"(?:import|from)\b", "an import", "call an operator; `octoflow operators` lists them"),
    _construct(r"assert\b", "assert", "write `error('…') if not condition else value`"),
    _construct(r"raise\b", "raise", "write `error('…')`"),
    _construct(r"(?:try|except|finally)\b", "try", "write `if_error(value, on_error)`"),
    _construct(r"(?:await|async)\b", "await", "leave it out: operators wait by themselves"),
    _construct(r"yield\b", "yield", "write the value itself"),
    _construct(
        r"(?:async\s+)?for\b",
        "a loop or comprehension",
        "use operators on whole lists: `mean(close)`, `any(list)`",
    ),
    _construct(r"while\b", "a loop", "use `loop_until(condition, retry_interval)`"),
    _construct(r"(?:def|class)\b", "a definition", "give a repeated part a local name: `x = …`"),
    _construct(r"return\b", "return", "write the expression alone on the last line"),
    _construct(
        r"(?:break|continue|pass|del|global|nonlocal|with|as|elif)\b", "a statement", "write one expression"
    ),
    _construct(r"\d[\d_]*(?:\.\d*)?[jJ]\b", "a complex number", "write a real number"),
    _construct(
        r"UNRESOLVED_PARAMETER\b",
        "UNRESOLVED_PARAMETER here",
        "use it as the whole value of a keyword or of a dict entry: `amount=UNRESOLVED_PARAMETER`",
    ),
)


def refusal(text: str, offset: int, expected: frozenset[str]) -> DslError:
    """Return the error for a script whose parsing stopped at an offset.

    Args:
        text: the whole script.
        offset: where the first token stands that the grammar did not accept.
        expected: names of the terminals that it would have accepted there.
    """
    before, rest = text[:offset].rstrip(" \t\f\r"), text[offset:]
    for construct in _ANYWHERE:
        if construct.pattern.match(rest):
            return _unsupported(text, offset, construct.name, construct.instead)
    bracket = _innermost_bracket(text[:offset])
    in_place = _refused_in_place(before, rest, bracket)
    if in_place is not None:
        return _unsupported(text, offset, *in_place)
    return error_at(text, offset, _syntax_message(text, before, rest, bracket, expected), code="syntax")


def _unsupported(text: str, offset: int, name: str, instead: str) -> DslError:
    return error_at(
        text,
        offset,
        f"{name} is not part of the language",
        code="unsupported",
        suggestion=f"Instead, {instead}.",
    )


@dataclass(frozen=True, slots=True)
class _Bracket:
    """An open bracket: `(`, `[` or `{`, and whether it follows an operand (a call or an index)."""

    kind: str
    offset: int
    after_operand: bool


_KEYWORD_BEFORE: Final = re.compile(r"\b(?:if|else|and|or|not|in|is)$")


def _innermost_bracket(before: str) -> _Bracket | None:
    open_brackets: list[_Bracket] = []
    for offset, sign in brackets(before):
        if sign in "([{":
            open_brackets.append(_Bracket(sign, offset, _ends_operand(before[:offset].rstrip())))
        elif open_brackets:
            open_brackets.pop()
    return open_brackets[-1] if open_brackets else None


def _ends_operand(before: str) -> bool:
    return bool(_END_OF_OPERAND.search(before)) and not _KEYWORD_BEFORE.search(before)


def _refused_in_place(before: str, rest: str, bracket: _Bracket | None) -> tuple[str, str] | None:
    """Recognise constructs by the bracket they stand in; return their name and what to write instead."""
    sign = rest[:1]
    if sign == "*" and not _ends_operand(before):
        return "unpacking with `*`", "write the arguments or items out"
    if sign == "(" and _ends_operand(before):
        return "calling a value", "call an operator by its name"
    if bracket is not None and bracket.kind == "{" and sign in (",", "}"):
        return "a set", "write a list: [1, 2]"
    if sign == "," and bracket is not None and bracket.kind == "[" and bracket.after_operand:
        return "an index of several parts", "write one index after the other: `value[0][1]`"
    opens_tuple = bracket is None or (bracket.kind == "(" and not bracket.after_operand)
    if sign == "," and opens_tuple:
        return "a tuple", "write a list: [1, 2]"
    if sign == ")" and before.endswith("(") and opens_tuple:
        return "a tuple", "write a list: []"
    return None


_CLOSED_TEXT: Final = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_IF: Final = re.compile(r"\bif\b")
_ELSE: Final = re.compile(r"\belse\b")
_TOKEN: Final = re.compile(r"\w+|\S")


def _syntax_message(
    text: str, before: str, rest: str, bracket: _Bracket | None, expected: frozenset[str]
) -> str:
    if not text.strip():
        return "the script is empty; write an expression"
    if rest[:1] in ("'", '"') and not _CLOSED_TEXT.match(rest):
        return "this text is not closed; end it with the same quote on the same line"
    if "_ELSE" in expected and len(_IF.findall(before)) > len(_ELSE.findall(before)):
        return "`else` is missing: write `a if condition else b`"
    if not rest.strip() and bracket is not None:
        opened = position_of(text, bracket.offset)
        return f"the bracket `{bracket.kind}` of line {opened.line}, column {opened.column} is never closed"
    if not rest.strip():
        return "the script ends where a value is expected"
    if rest[0] in "\r\n":
        return "the line ends where a value is expected; put brackets around an expression of several lines"
    found = _TOKEN.match(rest)
    token = found.group() if found else rest[0]
    if token == "=":
        return "`=` gives a name to a line's value: `name = value`; write `==` to compare"
    if token == "if":
        return "`if` stands between two values: `a if condition else b`"
    if _ends_operand(before) and (token[0].isalnum() or token[0] in "_$'\"[{"):
        return f"`{token}` follows a value; an operator or a comma is missing before it"
    if token in (")", "]", "}") and bracket is None:
        return f"the bracket `{token}` was never opened"
    if _ends_operand(before):
        return f"unexpected `{token}`"
    return f"unexpected `{token}` where a value is expected"
