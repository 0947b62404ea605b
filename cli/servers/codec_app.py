"""Decodes and encodes payloads over HTTP, the way Temporal's UI and command line ask for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads

from codec import OctoflowCodec, PayloadKeyError

MAX_BODY_BYTES: Final = 32 * 1024 * 1024

ALLOWED_HEADERS: Final = "content-type, x-namespace, authorization"
"""What Temporal's UI sends."""

Transform = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


def codec_app(codec: OctoflowCodec, origins: Collection[str]) -> web.Application:
    """Return an application with `/encode` and `/decode`.

    Args:
        codec: with the keys.
        origins: the web pages that may use it, such as `http://127.0.0.1:8233`. A browser names the page
            with every request, so that no other page can read payloads. Programs of this machine can.
    """
    app = web.Application(middlewares=[_only_for(frozenset(origins))], client_max_size=MAX_BODY_BYTES)
    app.router.add_post("/encode", _answering(codec.encode))
    app.router.add_post("/decode", _answering(codec.decode))
    app.router.add_route("OPTIONS", "/{path:encode|decode}", _preflight)
    return app


def _only_for(origins: frozenset[str]) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is not None and origin not in origins:
            return web.Response(status=403, text=f"{origin} is not one of the pages that --origin allows")
        response = await handler(request)
        if origin is not None:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Vary"] = "Origin"
        return response

    return check


def _answering(transform: Transform) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            asked = json_format.Parse(await request.text(), Payloads())
        except (json_format.ParseError, UnicodeDecodeError):
            return web.Response(status=400, text='the body is not of the form {"payloads": [...]}')
        try:
            payloads = await transform(asked.payloads)
        except (PayloadKeyError, ValueError) as problem:
            return web.Response(status=422, text=str(problem))
        text = json_format.MessageToJson(Payloads(payloads=payloads), indent=None)
        return web.Response(text=text, content_type="application/json")

    return answer


async def _preflight(_request: web.Request) -> web.Response:
    headers = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": ALLOWED_HEADERS}
    return web.Response(status=204, headers=headers)
