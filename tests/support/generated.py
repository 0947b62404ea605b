"""Scripts that call operators which record, read and wait, as strategies for property tests."""

from __future__ import annotations

from hypothesis import strategies as st


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    triple = st.tuples(inner, inner, inner)
    return st.one_of(
        pair.map(lambda p: f"({p[0]} + {p[1]})"),
        triple.map(lambda p: f"({p[0]} * {p[1]} - {p[2]})"),
        pair.map(lambda p: f"({p[0]} // {p[1]})"),
        pair.map(lambda p: f"({p[0]} < {p[1]})"),
        triple.map(lambda p: f"({p[0]} <= {p[1]} != {p[2]})"),
        triple.map(lambda p: f"({p[0]} and {p[1]} and {p[2]})"),
        pair.map(lambda p: f"({p[0]} or {p[1]})"),
        triple.map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        triple.map(lambda p: f"[{p[0]}, {p[1]}, {p[2]}][{{0: 2}}[0] - 1]"),
        pair.map(lambda p: f"{{'a': {p[0]}, 'b': {p[1]}}}['b']"),
        pair.map(lambda p: f"effect({p[0]}, other={p[1]})"),
        pair.map(lambda p: f"effect(other={p[0]}, value={p[1]})"),
        pair.map(lambda p: f"max({p[0]}, {p[1]})"),
        pair.map(lambda p: f"if_error({p[0]} / {p[1]}, {p[1]})"),
        pair.map(lambda p: f"value_if({p[0]}, LOCAL_VALUE_PLACEHOLDER >= {p[1]})"),
        inner.map(lambda p: f"pause({p})"),
        inner.map(lambda p: f"look({p})"),
        inner.map(lambda p: f"effect({p})"),
        inner.map(lambda p: f"(not -{p})"),
    )


_EXPRESSIONS = st.recursive(
    st.one_of(
        st.integers(0, 3).map(str),
        st.sampled_from(["pause(1)", "effect(2)", "pause(0)", "x", "$small", "$big"]),
    ),
    _nested,
    max_leaves=12,
)

REFERENCES = {"small": 2, "big": 2**90}
"""The results of other actions that the scripts refer to."""


def scripts() -> st.SearchStrategy[str]:
    """Locals and a result, with something of everything in them."""
    return st.tuples(_EXPRESSIONS, _EXPRESSIONS).map(
        lambda parts: f"x = 1\nx = {parts[0]}\ny = {parts[1]}\n[x, y, {parts[0]}]"
    )
