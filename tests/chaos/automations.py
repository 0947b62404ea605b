"""The automations of the chaos tests: each trades a market of its own on an account of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.support.builders import action, automation
from workflows.messages import Json

FUNDS: Final = 100_000

MARKETS: Final = (
    *("BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "DOT", "LTC", "LINK"),
    *("AVAX", "UNI", "ATOM", "TRX", "ETC", "FIL", "NEAR"),
)
"""Bases of markets against USDT whose prices the tests move."""


@dataclass(frozen=True, slots=True)
class Trader:
    """One automation, its account and its market; `storm` tells it from those of other storms."""

    storm: str
    base: str

    @property
    def name(self) -> str:
        """The automation's id."""
        return f"{self.storm}-{self.base}"

    @property
    def key(self) -> str:
        """API key of its account."""
        return f"key-{self.base}"

    @property
    def secret(self) -> str:
        """API secret of its account."""
        return f"secret-{self.base}"

    @property
    def market(self) -> str:
        """The exchange's name of its market."""
        return f"{self.base}USDT"

    @property
    def credentials(self) -> Mapping[str, str]:
        """Environment variables by which a worker finds its keys."""
        return {f"{self.base}_API_KEY": self.key, f"{self.base}_API_SECRET": self.secret}

    @property
    def symbol(self) -> str:
        """Its market's name in scripts."""
        return f"{self.base}/USDT"

    def state(self, url: str, *actions: Json) -> Json:
        """Return its state at the start.

        Args:
            url: where the exchange listens.
            actions: what it does; when left out, it trades in all the ways there are.
        """
        state = automation(*(actions or self._all_kinds()))
        state["automation"]["metadata"] = {"automation_id": self.name}
        state["exchange_account_details"] = {
            "exchange_details": {"internal_name": "binance", "url": url},
            "auth_details": {"credential_ref": f"env:{self.base}"},
        }
        return state

    def _all_kinds(self) -> tuple[Json, ...]:
        """Return actions that place, fill and cancel orders, and then rest for ever.

        They buy, offer a part far above the market, bid where the price may come to, enter with exits on
        both sides, take the offer back, and sell a part.
        """
        symbol = self.symbol
        exits = "take_profit_prices=['35%'], stop_loss_price='-35%'"
        return (
            action("buy", f"market('buy', '{symbol}', '2000q')"),
            action("offer", f"limit('sell', '{symbol}', '30%', '40%', tag='offer')", "buy"),
            action("bid", f"limit('buy', '{symbol}', '500q', '-0.2%', tag='bid')", "offer"),
            action("enter", f"limit('buy', '{symbol}', '1000q', '2%', {exits})", "bid"),
            action("back", f"cancel_order('{symbol}', tag='offer')", "enter"),
            action("sell", f"market('sell', '{symbol}', '20%')", "back"),
            action("rest", "wait(1000000)", "sell"),
        )


ORDERS_OF_ITS_OWN: Final = 5
"""Orders that a script places: buy, offer, bid, enter, sell."""

EXITS: Final = 1
"""Orders that follow when `enter` has filled: its stop; the take-profit waits, both would sell the same."""
