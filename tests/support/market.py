"""Recorded markets for tests: a folder with the prices that a test needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.market.time_frames import opening
from engine.types import TimeFrame

HEADER = "timestamp,open,high,low,close,volume"


def write_candles(
    folder: Path, symbol: str, time_frame: str, rows: Sequence[Sequence[float]], *, start: float
) -> None:
    """Write candles from `(open, high, low, close)` rows; the first opens at `start` (UNIX seconds)."""
    frame = TimeFrame(time_frame)
    path = folder / "candles" / "binance" / f"{symbol.replace('/', '-')}-{time_frame}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        ",".join(str(value) for value in (int(opening(frame, start, index) * 1_000), *row, 100))
        for index, row in enumerate(rows)
    ]
    path.write_text("\n".join([HEADER, *lines]) + "\n")


def flat_market(folder: Path, *, start: float, hours: int = 300, **prices: float) -> str:
    """Write hourly candles on which each price stands still; `BTC=50000` is BTC/USDT at 50,000."""
    for base, price in prices.items():
        write_candles(folder, f"{base}/USDT", "1h", [(price,) * 4] * hours, start=start)
    return str(folder)
