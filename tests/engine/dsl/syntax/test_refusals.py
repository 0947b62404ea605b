"""Texts that are not of the language: what they are told, and where."""

from __future__ import annotations

import pytest

from engine.dsl.syntax.parser import parse
from engine.errors import DslError
from tests.support.scripts import evaluate


def refusal(text: str) -> DslError:
    with pytest.raises(DslError) as caught:
        evaluate(text)
    assert caught.value.position is not None
    return caught.value


UNSUPPORTED = [
    ("lambda x: x", "lambda", 1),
    ("1 + f'a{1}'", "f-string", 5),
    ("b'abc'", "bytes", 1),
    ("r'abc'", "prefixed text", 1),
    ("pi.real", "attribute", 3),
    ("'a'.upper()", "method call", 4),
    ("...", "ellipsis", 1),
    ("await pi", "await", 1),
    ("yield", "yield", 1),
    ("1 & 2", "`&`", 3),
    ("1 | 2", "`|`", 3),
    ("1 ^ 2", "`^`", 3),
    ("~1", "`~`", 1),
    ("1 << 2", "bit shift", 3),
    ("1 @ 2", "`@`", 3),
    ("!True", "`!`", 1),
    ("x := 1", "assignment inside", 3),
    ("x += 1", "augmented", 3),
    ("(1, 2)", "tuple", 3),
    ("1, 2", "tuple", 2),
    ("()", "tuple", 2),
    ("{1, 2}", "set", 3),
    ("[1, 2][0, 1]", "index of several parts", 9),
    ("[x for x in [1]]", "comprehension", 4),
    ("import os", "import", 1),
    ("assert True", "assert", 1),
    ("round(*[1, 2])", "unpacking", 7),
    ("True()", "calling a value", 5),
    ("1; 2", "semicolon", 2),
    ("2j", "complex", 1),
    ("UNRESOLVED_PARAMETER + 1", "UNRESOLVED_PARAMETER", 1),
    ("round(**[1])", "a dict that is written out", 7),
    ("x = 1", "ends with an expression", 1),
    ("1\n2", "not used", 1),
    ("max = 3\nmax", "names an operator", 1),
    ("LOCAL_VALUE_PLACEHOLDER", "condition of value_if", 1),
    ("x = 1\nx()", "cannot be called", 1),
]


@pytest.mark.parametrize(("text", "named", "column"), UNSUPPORTED)
def test_python_that_is_no_part_of_the_language_is_named_at_its_position(
    text: str, named: str, column: int
) -> None:
    error = refusal(text)
    assert error.code == "unsupported"
    assert named in error.message
    assert error.column == column


@pytest.mark.parametrize("text", [text for text, _, _ in UNSUPPORTED if text not in ("LOCAL_VALUE_PLACEHOLDER", "x = 1\nx()")])  # fmt: skip  # noqa: E501
def test_a_refused_construct_says_what_to_write_instead(text: str) -> None:
    assert refusal(text).suggestion


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("a b", "an operator or a comma is missing", (1, 3)),
        ("not", "ends where a value is expected", (1, 4)),
        ("if True: 1", "`if` stands between two values", (1, 1)),
        ("1 if 2", "`else` is missing", (1, 7)),
        ("1 +\n2", "put brackets around", (1, 4)),
        ("(1 + [2", "bracket `\\[` of line 1, column 6 is never closed", (1, 8)),
        ("x = 1\n(x", "bracket `\\(` of line 2, column 1 is never closed", (2, 3)),
        ("1)", "never opened", (1, 2)),
        ("'abc", "not closed", (1, 1)),
        ("", "the script is empty", (1, 1)),
        ("x = = 1", "write `==` to compare", (1, 5)),
        ("'\\q'", "no escape", (1, 1)),
        ("'\\ud800'", "not a Unicode character", (1, 1)),
        ("1__0", "unexpected `1__0`", (1, 1)),
        ("[1,, 2]", "unexpected `,`", (1, 4)),
    ],
)
def test_a_syntax_error_says_what_is_wrong_and_where(
    text: str, message: str, position: tuple[int, int]
) -> None:
    with pytest.raises(DslError, match=message) as caught:
        parse(text)
    assert caught.value.code == "syntax"
    assert (caught.value.line, caught.value.column) == position


def test_an_error_shows_the_line_with_a_caret() -> None:
    error = refusal("x = 1\nx + (2 & 3)")
    assert error.excerpt == "  x + (2 & 3)\n         ^"
    assert str(error).startswith("line 2, column 8: the operator `&` is not part of the language\n")


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("maxx(1, 2)", "Did you mean `max`?"),
        ("Max(1, 2)", "Did you mean `max`?"),
        ("true", "Did you mean `True`?"),
        ("null", "Did you mean `None`?"),
        ("amount = 1\namoun", "Did you mean `amount`?"),
        ("qqqqqq", "`octoflow operators` lists them."),
    ],
)
def test_an_unknown_name_suggests_the_closest_one(text: str, suggestion: str) -> None:
    error = refusal(text)
    assert error.code == "unknown_operator"
    assert error.suggestion == suggestion


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("round(1, digts=2)", "no parameter digts", 10),
        ("round(1, 2, 3)", "takes 2 arguments, not 3", 13),
        ("round(1, value=2)", "value is given twice", 10),
        ("clamp(1)", "needs low and high", 1),
        ("pi(1)", "takes no arguments", 4),
        ("max(1, x=2)", "no parameter x", 8),
        ("round(value=1, 2)", "without a name", 16),
        ("cos('a')", "must be a number; it is str 'a'", 5),
        ("1 if True else cos('a')", "must be a number", 20),
        ("wait(-1)", "at least 0", 6),
        ("max(1, 'a' + 'b')", "it is str 'ab'", 8),
        ("wait(9, 5)", "below min_seconds", 1),
    ],
)
def test_arguments_that_an_operator_does_not_take_are_invalid_parameters(
    text: str, message: str, column: int
) -> None:
    error = refusal(text)
    assert error.code == "invalid_parameters"
    assert message in error.message
    assert error.column == column


def test_a_computed_value_is_checked_when_the_script_runs() -> None:
    assert evaluate("cos($x)", references={"x": 0}) == 1.0
    with pytest.raises(DslError, match="must be a number") as caught:
        evaluate("cos($x)", references={"x": "a"})
    assert (caught.value.code, caught.value.column) == ("invalid_parameters", 5)


def test_an_error_in_a_text_points_at_the_text() -> None:
    error = refusal("if_error(1, 'maxx(1)')")
    assert (error.code, error.column, error.suggestion) == ("unknown_operator", 13, "Did you mean `max`?")
    error = refusal("if_error(1, '1 +')")
    assert (error.code, error.column) == ("syntax", 13)
    assert "in the text for on_error" in error.message
