"""Scripts drawn from the grammar itself, by hypothesis' support for lark."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from lark import Lark

_NAMES = st.sampled_from(["x ", "y ", "close ", "max ", "amount_2 ", "größe "])
_TERMINALS: dict[str, st.SearchStrategy[str]] = {
    **{f"_{word.upper()}": st.just(f" {word} ") for word in ("if", "else", "or", "and")},
    "NOT": st.just(" not "),
    "CONSTANT": st.sampled_from([" True ", " False ", " None "]),
    "UNRESOLVED": st.just(" UNRESOLVED_PARAMETER "),
    "NAME": _NAMES,
    "REFERENCE": st.sampled_from([" $buy", " $a_1"]),
    "KEY": st.sampled_from([".orders ", ".amount "]),
    "COMPARE": st.sampled_from(
        [" == ", "!=", "<", " <=", "> ", ">=", " in ", " not  in ", " is ", " is not "]
    ),
    "NUMBER": st.one_of(
        st.integers(0, 2**200).map("{} ".format),
        st.floats(0, allow_nan=False, allow_infinity=False).map("{!r} ".format),
        st.sampled_from(["0x1F ", "0b11 ", "0o17 ", "1_000 ", ".5 ", "1. ", "1e3 "]),
    ),
    "STRING": st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
        .map(repr)
        .filter(lambda text: "\\N" not in text),
        st.sampled_from(["'a'", '"\\t\\u00e9"', "''"]),
    ),
    "COMMENT": st.sampled_from([" ", "  "]),
}


_LEVELS = (
    "expression",
    "disjunction",
    "conjunction",
    "negation",
    "comparison",
    "sum",
    "product",
    "signed",
    "power",
    "operand",
    "postfix",
)
_LEAVES = ("LEAF_1", "LEAF_2")


@cache
def _grammar() -> Lark:
    """The grammar, in which every level may also be a leaf: otherwise the drawn scripts would never end."""
    text = files("engine.dsl.syntax").joinpath("grammar.lark").read_text(encoding="utf-8")
    for level in _LEVELS:
        text, count = re.subn(
            rf"^\?{level}: ", rf"?{level}: {' | '.join(_LEAVES)} | ", text, flags=re.MULTILINE
        )
        assert count == 1, level
    leaves = "\n".join(f"{leaf}: /0/" for leaf in _LEAVES)
    return Lark(f"{text}\n{leaves}\n", start="script", keep_all_tokens=True)


@cache
def expressions() -> st.SearchStrategy[str]:
    """Expressions; some are refused for what the grammar cannot say, such as a key that is no text."""
    leaf = st.one_of(_TERMINALS["NUMBER"], _NAMES)
    explicit = {**_TERMINALS, **dict.fromkeys(_LEAVES, leaf)}
    starts = [*_LEVELS, "atom", "reference"]
    return st.one_of([from_lark(_grammar(), start=start, explicit=explicit) for start in starts])


def scripts() -> st.SearchStrategy[str]:
    """Some locals, and an expression."""
    assignments = st.lists(expressions().map("x = {}".format), max_size=2)
    return st.tuples(assignments, expressions()).map(lambda parts: "\n".join([*parts[0], parts[1]]))
