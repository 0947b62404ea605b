"""Runs a loopback exchange as a process of its own: `python -m tests.support.loopback --port 0`.

The first line on stdout is a JSON object with its `url`. It ends on SIGTERM, and when a pipe on stdin closes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import stat
import sys
from pathlib import Path

from tests.support.loopback.exchange import DIALECTS
from tests.support.loopback.markets import recorded_listings, written_listings
from tests.support.loopback.server import serving


async def main(dialect: str, port: int, market_data: Path | None) -> None:
    """Serve until the end is asked for."""
    listings = recorded_listings(market_data) or written_listings()
    async with serving(dialect, listings, port=port) as exchange:
        sys.stdout.write(json.dumps({"url": exchange.url}) + "\n")
        sys.stdout.flush()
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, ended.set)
        if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
            # Nothing is ever written to it: it becomes readable when the other end closes.
            loop.add_reader(sys.stdin.fileno(), ended.set)
        await ended.wait()
        loop.remove_reader(sys.stdin.fileno())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="binance")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--market-data", type=Path, help="folder with a recorded market list")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = _arguments()
    asyncio.run(main(arguments.dialect, arguments.port, arguments.market_data))
