"""Scripts that try to hang or exhaust the process that runs them, and nonsense of all kinds."""

from __future__ import annotations

import random
from collections.abc import Iterator

from engine.dsl import Limits

TEXT_LIMIT = Limits().text_length

_TREES = "a = [0, 0]\nb = [0, 0]\n" + "a = [a, a]\nb = [b, b]\n" * 15

HOSTILE = {
    "a tower of powers": "10**10**9",
    "a huge power": "x = 7\nx ** 10 ** 9",
    "a long text": "'a' * 10**12",
    "a long list": "[1] * 10**12",
    "nested repetition": "[[[0] * 1000] * 1000] * 1000",
    "a megabyte of brackets": "(" * 1_000_000,
    "nested brackets": "(" * TEXT_LIMIT,
    "closed nested brackets": "[" * 101 + "]" * 101,
    "a long number": "9" * (TEXT_LIMIT - 1),
    "a float beyond all floats": "1e999",
    "a doubled text": "a = 'a'\n" + "a = a + a\n" * 1_900 + "a",
    "a doubled list": "a = [1]\n" + "a = a + a\n" * 1_900 + "len(a)",
    "shared lists": "a = [0, 0]\n" + "a = [a, a]\n" * 1_800 + "1",
    "nested lists": "a = [0]\n" + "a = [a]\n" * 2_000 + "1",
    "compared shared lists": "a = [0]\nb = [0]\n" + "a = [a, a]\nb = [b, b]\n" * 800 + "a == b",
    "squared integers": "x = 3\n" + "x = x * x\n" * 1_900 + "x",
    "many long ranges": "[" + ",".join(["range(100000)"] * 1_300) + "]",
    "sums of a long list": "x = range(100000)\n[" + ",".join(["sum(x)"] * 2_800) + "]",
    "a chain of conditions": "1 if 1 else " * 1_600 + "1",
    "a chain of subscripts": "x = [1]\nx" + "[0]" * 6_000,
    "a long range": "range(10**14)",
    "a decimal tower": "decimal('1e300') ** 100",
    "a huge decimal": "decimal('1e999999')",
    "the floor of a huge float": "floor(1e300)",
    "compared trees": f"{_TREES}[{'a == b,' * 1_500}1]",
    "written trees": f"{_TREES}[{'str(a),' * 1_500}1]",
    "a long text in a list": "a = 'a' * 1000000\nstr([a] * 1000)",
    "joined texts": f"a = ['{'a' * 20}'] * 10000\n[{'join(a),' * 1_500}1]",
    "lower case of a long text": f"a = 'a' * 1000000\n[{'lower(a),' * 1_500}1]",
    "parts of a long text": f"a = 'ab ' * 300000\n[{'split(a),' * 1_500}1]",
    "slices of a long text": f"a = 'b' * 1000000\n[{'a[1:],' * 1_500}1]",
    "slices of a long list": f"a = range(100000)\n[{'a[1:],' * 1_500}1]",
    "averages of a long list": f"a = range(100000)\n[{'ema(a, 3),' * 1_500}1]",
    "searches in a long list": f"a = range(100000)\n[{'-1 in a,' * 1_500}1]",
}
"""Each goes over some limit."""

LONG = {
    "a sum": "1" + "+1" * 9_999,
    "a sum of locals": "x = 1\nx" + "+x" * 9_000,
    "signs": "-" * (TEXT_LIMIT - 1) + "1",
    "negations": "not " * 4_999 + "1",
    "powers": "1" + "**1" * 6_000,
    "comparisons": "1" + "<2" * 9_000,
    "conjunctions": "1" + " and 1" * 3_000,
    "a list": "[" + "1," * 9_900 + "]",
    "texts": "'a'" * 6_600,
    "arguments": "max(" + ",".join("1" * 9_000) + ")",
    "nesting up to the limit": "[" * 99 + "]" * 99,
    "calls up to the limit": "abs(" * 99 + "1" + ")" * 99,
}
"""Each is as long as a script may be, and has a value."""

_VOCABULARY = """\
1 0 -1 2.5 1e9 0x1f 10**10 'a' 'ab' [] {} () ( ) [ ] { } , : . = == != < <= > >= + - * ** / // %
and or not in is if else True False None $r $r[0].b x y x=1 a=b # \\ ; @ ~ & | ^ ! ? ` " '
lambda for UNRESOLVED_PARAMETER LOCAL_VALUE_PLACEHOLDER close price range( len( str( sum( sorted( join(
split( ema( rsi( value_if( if_error( wait( loop_until( max( 'a'*1000000 range(100000) [0]*100000"""
_WORDS = [*_VOCABULARY.split(), "\n"]
_GROWING = (
    "x + x",
    "[x, x]",
    "x * 2",
    "{'a': x, 'b': x}",
    "str(x)",
    "sorted(x)",
    "x[1:]",
    "[x] * 100",
    "join(x)",
)
_STARTS = ("[0, 1]", "'ab'", "range(100000)", "['a', 'b']", "7", "'é€😀' * 1000", "decimal('1.5')")


def token_soup(draw: random.Random, length: int) -> str:
    """Words of the language, and of none, in any order."""
    words: list[str] = []
    while sum(map(len, words)) + len(words) < length:
        words.append(draw.choice(_WORDS))
    return " ".join(words)[:length]


def noise(draw: random.Random, length: int) -> str:
    """Random bytes, read as text."""
    return draw.randbytes(length).decode("utf-8", "replace")[:length]


def nesting(draw: random.Random, length: int) -> str:
    """Deep brackets, calls, signs and branches."""
    opening, closing = draw.choice(
        [
            ("(", ")"),
            ("[", "]"),
            ("{1:", "}"),
            ("abs(", ")"),
            ("-", ""),
            ("not ", ""),
            ("1 if 1 else ", ""),
            ("x[", "]"),
        ]
    )
    depth = draw.choice([50, 98, 99, 100, 101, 200, length])
    return ("x = 1\n" + opening * depth + "1" + closing * depth)[:length]


def growth(draw: random.Random, length: int) -> str:
    """A value that grows line by line, and is used again and again."""
    lines = [f"x = {draw.choice(_STARTS)}"]
    lines += [f"x = {draw.choice(_GROWING)}" for _ in range(draw.randrange(40))]
    use = draw.choice(["x,", "x == x,", "len(x),", "str(x),", "x[1:],", "sorted(x),", "x + x,", "[x],"])
    head = "\n".join(lines)
    return f"{head}\n[{use * ((length - len(head) - 5) // len(use))}1]"


def nonsense(seed: int, count: int, length: int = TEXT_LIMIT) -> Iterator[str]:
    """Texts of all kinds, the same for the same seed."""
    draw = random.Random(seed)
    for number in range(count):
        yield (token_soup, noise, nesting, growth)[number % 4](draw, length)
