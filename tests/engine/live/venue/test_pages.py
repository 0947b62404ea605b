"""Lists that come in pages are read to their end."""

from __future__ import annotations

from typing import Any

from engine.live.venue.pages import MOST_PAGES, SMALLEST_PAGE, fetch_pages, page_size


class Listing:
    """A client with some fills, a second apart; it gives those from an instant on, as many as asked for."""

    def __init__(self, rows: int, limit: int | None = None, same_time: bool = False) -> None:
        self.features = {"spot": {"fetchMyTrades": {"limit": limit}}, "swap": {"linear": {}}}
        self.options = {"defaultType": "spot"}
        self.rows = [
            {"id": number, "timestamp": 0 if same_time else number * 1_000} for number in range(rows)
        ]
        self.asked: list[tuple[int, int]] = []

    async def fetch_my_trades(
        self, symbol: str, since: int, limit: int, params: dict[str, Any]
    ) -> list[dict[str, Any]]:
        self.asked.append((since, limit))
        return [row for row in self.rows if row["timestamp"] >= since][:limit]


async def found(listing: Listing) -> list[int]:
    rows = await fetch_pages(listing, "fetch_my_trades", "BTC/USDT", 0, {})
    return [row["id"] for row in rows]


async def test_a_short_page_is_the_last() -> None:
    listing = Listing(10)
    assert await found(listing) == list(range(10))
    assert listing.asked == [(0, SMALLEST_PAGE)]


async def test_full_pages_have_a_next_one_and_no_row_comes_twice() -> None:
    listing = Listing(120, limit=100)
    assert await found(listing) == list(range(120))
    assert listing.asked == [(0, 100), (99_000, 100)]


async def test_a_page_that_brings_nothing_new_is_the_last() -> None:
    listing = Listing(120, same_time=True)
    assert len(await found(listing)) == SMALLEST_PAGE
    assert len(listing.asked) == 2


async def test_the_number_of_pages_is_bounded() -> None:
    listing = Listing(SMALLEST_PAGE * MOST_PAGES * 2)
    await found(listing)
    assert len(listing.asked) == MOST_PAGES


def test_a_page_is_as_long_as_ccxt_knows() -> None:
    assert page_size(Listing(0, limit=7), "fetch_my_trades") == 7
    assert page_size(Listing(0), "fetch_open_orders") is None
