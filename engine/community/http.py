"""A community behind an HTTP address; `docs/community.md` describes what a server has to answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ValidationError

from engine.community.models import LeaderSnapshot, LogEntry
from engine.community.protocols import Community
from engine.community.tokens import TokenResolver, access_token
from engine.errors import ConfigurationError, RetryableError
from engine.lazy_import import LazyModule
from engine.masking import Secrets, register
from engine.state import AuthDetails
from engine.types import Seconds

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

TIMEOUT: Final[Seconds] = 10
MAX_ANSWER_BYTES: Final = 256 * 1024
_SHOWN_ANSWER: Final = 200

_aiohttp: Final = LazyModule("aiohttp")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCommunity:
    """Opens sessions on a community's server; see `CommunityAuthenticatorFactory`.

    Attributes:
        url: address of the community, with TLS unless it is on this machine.
        reference: names the token for automations that have none of their own.
        resolve: finds the token that a reference names.
        timeout: seconds that a request may take.

    Raises:
        ConfigurationError: the address is none, or would send tokens in plain text over a network.
    """

    url: str
    reference: str | None = None
    resolve: TokenResolver = access_token
    timeout: Seconds = TIMEOUT

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None:
            raise ConfigurationError(
                "the community's address must have the form https://host/path, without a user in it"
                " (OCTOFLOW_WORKER_COMMUNITY_URL)",
                code="invalid_community",
            )
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ConfigurationError(
                f"http://{parts.hostname} would carry tokens in plain text: use https"
                " (OCTOFLOW_WORKER_COMMUNITY_URL)",
                code="invalid_community",
            )

    def check_reference(self) -> None:
        """Make sure that the token is there which automations without one of their own use, if one is named.

        Raises:
            ConfigurationError: it is not.
        """
        if self.reference is not None:
            self._token(AuthDetails())

    @asynccontextmanager
    async def session(self, auth: AuthDetails) -> AsyncIterator[Community]:
        """Open a session with a connection and cookies of its own.

        Raises:
            ConfigurationError: neither the automation nor the worker has a token.
        """
        token = self._token(auth)
        register([token])
        client: ClientSession = _aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=_aiohttp.ClientTimeout(total=self.timeout),
            cookie_jar=_aiohttp.CookieJar(),
        )
        requests = _Requests(client, self.url.rstrip("/"), token)
        try:
            yield _HttpSession(_HttpSignals(requests), _HttpLogs(requests))
        finally:
            await asyncio.shield(client.close())

    def _token(self, auth: AuthDetails) -> str:
        """Return the automation's own token, else the worker's."""
        references = [reference for reference in (auth.credential_ref, self.reference) if reference]
        token = auth.access_token or next(filter(None, map(self.resolve, references)), None)
        if token is None:
            looked = f" ({' and '.join(references)} hold none)" if references else ""
            raise ConfigurationError(
                f"there is no token for the community{looked}: name one with OCTOFLOW_WORKER_COMMUNITY_TOKEN,"
                " such as env:COMMUNITY, which reads COMMUNITY_ACCESS_TOKEN",
                code="no_community_token",
            )
        return token


@dataclass(frozen=True, slots=True)
class _HttpSession:
    signals: _HttpSignals
    logs: _HttpLogs


@dataclass(frozen=True, slots=True)
class _HttpSignals:
    requests: _Requests

    async def publish(self, snapshot: LeaderSnapshot) -> None:
        await self.requests.send("PUT", _signal_path(snapshot.strategy), _body(snapshot))

    async def latest(self, strategy: str) -> LeaderSnapshot | None:
        answer = await self.requests.send("GET", _signal_path(strategy))
        if answer is None:
            return None
        try:
            return LeaderSnapshot.model_validate_json(answer)
        except ValidationError as error:
            problem = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, problem["loc"]))
            raise ConfigurationError(
                f"the community's snapshot of {strategy!r} cannot be read: {where}: {problem['msg']}",
                code="invalid_signal_format",
            ) from None


@dataclass(frozen=True, slots=True)
class _HttpLogs:
    requests: _Requests

    async def append(self, entries: Sequence[LogEntry]) -> None:
        await self.requests.send("POST", "/v1/logs", {"entries": [_body(entry) for entry in entries]})


@dataclass(frozen=True, slots=True)
class _Requests:
    """The requests of one session, and what their answers mean."""

    client: ClientSession
    url: str
    token: str = field(repr=False)

    async def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes | None:
        """Return the answer's body; None where there is nothing under the path.

        Raises:
            RetryableError: no answer, too many requests, or a failure of the server.
            ConfigurationError: the server refuses.
        """
        request = self.client.request(method, f"{self.url}{path}", json=body, allow_redirects=False)
        what = f"{method} {path}"
        try:
            async with request as response:
                content = await _limited(response)
        except TimeoutError:
            raise RetryableError(
                f"{what}: the community does not answer in time", code="community_unavailable"
            ) from None
        except _aiohttp.ClientError as error:
            raise RetryableError(
                f"{what}: the community does not answer: {type(error).__name__}", code="community_unavailable"
            ) from None
        if method == "GET" and response.status == HTTPStatus.NOT_FOUND:
            return None
        self._check(response, content, what)
        return content

    def _check(self, response: ClientResponse, content: bytes, what: str) -> None:
        status = response.status
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return
        said = f"HTTP {status}{self._shown(content)}"
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise ConfigurationError(
                f"{what}: the community refuses the token, which has to be renewed ({said})",
                code="community_refuses_token",
            )
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RetryableError(
                f"{what}: the community cannot answer now ({said})",
                retry_after=_seconds(response.headers.get("Retry-After")),
                code="community_unavailable",
            )
        raise ConfigurationError(f"{what}: the community refuses ({said})", code="community_refuses")

    def _shown(self, content: bytes) -> str:
        """Return the beginning of what the server said, without the token, should it repeat that."""
        text = Secrets([self.token]).mask(content.decode(errors="replace")).strip()
        return f": {text[:_SHOWN_ANSWER]}" if text else ""


def _signal_path(strategy: str) -> str:
    return f"/v1/signals/{quote(strategy, safe='')}"


def _body(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", exclude_none=True)


async def _limited(response: ClientResponse) -> bytes:
    content = await response.content.read(MAX_ANSWER_BYTES)
    while len(content) < MAX_ANSWER_BYTES and (more := await response.content.read(MAX_ANSWER_BYTES)):
        content += more
    if len(content) >= MAX_ANSWER_BYTES:
        raise ConfigurationError(
            f"the community's answer has more than {MAX_ANSWER_BYTES // 1024} KB", code="community_refuses"
        )
    return content


def _seconds(header: str | None) -> Seconds | None:
    return float(header) if header is not None and header.isdecimal() else None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
