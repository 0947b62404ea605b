"""The seam between the server and the ways in which exchanges speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import parse_qsl

from tests.support.loopback.faults import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request as it arrived; `fill` is the part of an order that may trade at once."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    params: Mapping[str, str]
    fill: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body: JSON, or text as it is."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Dialect(Protocol):
    """An exchange's way of speaking; it translates between requests and the books, and decides nothing."""

    def parameters(self, query: str, body: str) -> Mapping[str, str]:
        """Return what a request asks for."""
        ...

    def is_private(self, path: str) -> bool:
        """Whether requests of a path need a key."""
        ...

    def key(self, headers: Mapping[str, str]) -> str | None:
        """Return the API key that a request was sent with."""
        ...

    def answer(self, request: Request) -> Answer:
        """Do what a request asks for."""
        ...

    def trouble(self, trouble: Trouble, retry_after: float | None) -> Answer:
        """Return an error of the exchange's infrastructure in its own words."""
        ...


BAD_GATEWAY = Answer(
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n",
    502,
)


def waiting(retry_after: float | None) -> Mapping[str, str]:
    """Return the header that tells how many seconds to wait."""
    return {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}


def form(text: str) -> Mapping[str, str]:
    """Return the fields of a query string."""
    return dict(parse_qsl(text, keep_blank_values=True))
