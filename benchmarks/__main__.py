"""`python -m benchmarks`: print every figure, and fail when one misses its bound."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from itertools import chain

from benchmarks.engine_figures import engine_figures, import_figures
from benchmarks.figures import Figure
from benchmarks.language_figures import language_figures
from benchmarks.live_figures import exchange_import_figures, live_figures
from benchmarks.loop_figures import loop_figures
from benchmarks.paper_figures import paper_figures
from benchmarks.settlement_figures import settlement_figures


async def _all_figures() -> AsyncIterator[Figure]:
    for figure in chain(import_figures(), exchange_import_figures(), language_figures()):
        yield figure
    for group in (engine_figures, paper_figures, settlement_figures, live_figures, loop_figures):
        async for figure in group():
            yield figure


async def _main() -> int:
    missed = 0
    async for figure in _all_figures():
        print(figure.line(), flush=True)
        missed += not figure.ok
    return 1 if missed else 0


if __name__ == "__main__":
    code = asyncio.run(_main())
    gc.collect()  # lets the Temporal client go before the interpreter does
    sys.exit(code)
