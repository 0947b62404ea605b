"""Text → tree → text → the same tree."""

from __future__ import annotations

import pytest
from hypothesis import given

from engine.dsl.syntax.nodes import Script
from engine.dsl.syntax.parser import parse
from engine.dsl.syntax.printer import unparse
from engine.errors import DslError
from tests.support.examples import examples
from tests.support.grammar import scripts


@given(scripts())
@examples(120)
def test_a_printed_script_parses_to_the_same_tree(text: str) -> None:
    tree = tree_of(text)
    assert tree is None or parse(unparse(tree)) == tree


def tree_of(text: str) -> Script | None:
    """The tree of a drawn script, which is no syntax error; None if it has no meaning."""
    try:
        return parse(text)
    except DslError as error:
        if error.code == "syntax":
            raise
        return None


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("1+2*3", "1 + 2 * 3"),
        ("(1+2)*3", "(1 + 2) * 3"),
        ("(1+2)+3", "(1 + 2) + 3"),
        ("1-(2-3)", "1 - (2 - 3)"),
        ("(-2)**2", "(-2) ** 2"),
        ("-2**-2", "-2 ** -2"),
        ("(a<b)<c", "(a < b) < c"),
        ("(a if b else c) if d else e", "(a if b else c) if d else e"),
        ("not(a and b)", "not (a and b)"),
        ("f( a,b = 1 )[ 0 ]", "f(a, b=1)[0]"),
        ("x=1\n\nx", "x = 1\nx"),
        ("$a.b [ 0 ]", "$a.b[0]"),
    ],
)
def test_a_tree_is_printed_with_the_brackets_it_needs(text: str, printed: str) -> None:
    assert unparse(parse(text)) == printed


def test_positions_are_no_part_of_a_trees_identity() -> None:
    assert parse("1 +    2") == parse("1 + 2")
    assert parse("1") != parse("1.0")
    assert parse("1") != parse("True")
