"""How much a script may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one script; each is a setting.

    The language has no loops, so the size of a script and these bounds limit what it can cost.

    Attributes:
        text_length: characters of a script.
        nesting: how deep brackets and expressions may stand inside each other.
        integer_bits: integers stay below two to this power.
        items: length of one list, dict or string.
        work: items of lists, dicts, series and texts that one evaluation may touch, all together; what an
            evaluation makes takes at most some 20 bytes of memory per item.
        effects: effects of one invocation.
        kept_bytes: size in bytes, as JSON, of what a suspended script keeps.
    """

    text_length: int = 20_000
    nesting: int = 100
    integer_bits: int = 256
    items: int = 1_000_000
    work: int = 2_100_000
    effects: int = 50
    kept_bytes: int = 65_536


DEFAULT_LIMITS = Limits()
