"""The shipped sample market: synthetic, reproducible, and usable as a recording."""

from __future__ import annotations

from pathlib import Path

from engine.market.recorded import RecordedSource
from engine.market.recordings import list_recorded
from engine.market.sample_market import SAMPLE_SEED, write_sample_market
from engine.types import Symbol, TimeFrame
from tests.conftest import SAMPLE_MARKET

MAX_BYTES = 150_000
BTC, ETH = Symbol("BTC/USDT"), Symbol("ETH/USDT")
HOUR, BLOCK = TimeFrame("1h"), TimeFrame("4h")


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_generating_it_again_gives_the_same_bytes(tmp_path: Path) -> None:
    write_sample_market(tmp_path, SAMPLE_SEED)
    assert content(tmp_path) == content(SAMPLE_MARKET)


def test_another_seed_gives_another_market(tmp_path: Path) -> None:
    write_sample_market(tmp_path, SAMPLE_SEED + 1)
    prices = "candles/binance/BTC-USDT-4h.csv"
    assert content(tmp_path)[prices] != content(SAMPLE_MARKET)[prices]


def test_it_is_small_and_says_that_it_is_synthetic() -> None:
    files = content(SAMPLE_MARKET)
    assert sum(map(len, files.values())) < MAX_BYTES
    assert b"synthetic" in files["README.md"]


async def test_it_reads_like_a_recording() -> None:
    recordings = {(one.symbol, one.time_frame): one for one in list_recorded(SAMPLE_MARKET, "binance")}
    markets = await RecordedSource(SAMPLE_MARKET, "binance").markets()

    assert set(markets) == {"BTC/USDT", "ETH/USDT"}
    assert len(recordings[BTC, BLOCK].candles()) == 500
    assert len(recordings[ETH, BLOCK].candles()) == 500
    assert all(
        recording.candles().low.min() >= markets[Symbol(recording.symbol)].price_tick
        for recording in recordings.values()
    )


def test_time_frames_agree() -> None:
    recordings = {(one.symbol, one.time_frame): one for one in list_recorded(SAMPLE_MARKET, "binance")}
    hours, blocks = (recordings[BTC, frame].candles() for frame in (HOUR, BLOCK))
    covered = blocks.opened_in(hours.opened_at, hours.closes_at)
    assert covered.open.tolist() == hours.open[::4].tolist()
    assert covered.high.tolist() == hours.high.reshape(-1, 4).max(axis=1).tolist()
    assert covered.close.tolist() == hours.close[3::4].tolist()
