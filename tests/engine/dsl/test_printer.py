"""Text → tree → text → the same tree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dsl.parser import parse
from engine.dsl.printer import unparse

_NAMES = st.sampled_from(["x", "close", "max", "amount_2", "größe"])
_LITERALS = st.one_of(
    st.integers(0, 2**200).map(str),
    st.floats(allow_nan=False, allow_infinity=False, min_value=0).map(repr),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    .map(repr)
    .filter(lambda text: "\\N" not in text),
    st.sampled_from(["True", "False", "None", "0x1F", "1_000", "'a' 'b'", '"\\t\\u00e9"']),
)
_REFERENCES = st.sampled_from(["$buy", "$buy.orders[0].amount", "$buy[-1]['a b']", "$buy[x].y", "$buy[1:].y"])


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    triple = st.tuples(inner, inner, inner)
    arithmetic = st.sampled_from(["+", "-", "*", "/", "//", "%", "**"])
    compare = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not"])
    return st.one_of(
        inner.map(lambda e: f"({e})"),
        st.tuples(inner, arithmetic, inner, arithmetic, inner).map(" ".join),
        st.tuples(inner, compare, inner, compare, inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda e: f"(not not {e})"),
        inner.map(lambda e: f"- + ({e})"),
        pair.map(" and ".join).map(lambda e: f"({e})"),
        triple.map(" or ".join).map(lambda e: f"({e})"),
        triple.map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        pair.map(lambda t: f"[{t[0]}, {t[1]},]"),
        triple.map(lambda t: f"{{{t[0]}: {t[1]}, **{{'k': UNRESOLVED_PARAMETER}}, 'z': {t[2]}}}"),
        triple.map(lambda t: f"max({t[0]}, key={t[1]}, p=UNRESOLVED_PARAMETER, **{{'a': {t[2]}}})"),
        pair.map(lambda t: f"({t[0]})[{t[1]}]"),
        triple.map(lambda t: f"({t[0]})[{t[1]}:{t[2]}]"),
        pair.map(lambda t: f"({t[0]})[::{t[1]}]"),
    )


_EXPRESSIONS = st.recursive(st.one_of(_NAMES, _LITERALS, _REFERENCES), _compound, max_leaves=10)


@given(st.lists(_EXPRESSIONS, max_size=2), _EXPRESSIONS)
@settings(max_examples=200, deadline=None)
def test_a_printed_script_parses_to_the_same_tree(values: list[str], result: str) -> None:
    tree = parse("\n".join([*(f"x = {value}" for value in values), result]))
    assert parse(unparse(tree)) == tree


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
