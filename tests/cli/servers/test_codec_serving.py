"""The codec server shows payloads to the pages that it was told about, and to no other."""

from __future__ import annotations

import base64
import socket
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads

from cli.servers.codec_app import codec_app
from codec import OctoflowCodec, PayloadKeys
from tests.cli.conftest import Octoflow

UI = "http://127.0.0.1:8233"
KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(1, 33))).decode()
PAYLOADS = [
    Payload(metadata={"encoding": b"json/plain"}, data=b'"canary"'),
    Payload(metadata={"encoding": b"json/plain"}, data=b'"canary"' * 1_000),
]


def body(payloads: Sequence[Payload]) -> str:
    return json_format.MessageToJson(Payloads(payloads=payloads))


def payloads_of(text: str) -> list[Payload]:
    return list(json_format.Parse(text, Payloads()).payloads)


Page = TestClient[web.Request, web.Application]


@pytest.fixture
async def client() -> AsyncIterator[Page]:
    """A page's way to a codec server."""
    app = codec_app(OctoflowCodec(PayloadKeys.parse(f"key:{KEY}")), [UI])
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_what_a_worker_wrote_is_shown_to_the_ui(client: Page) -> None:
    written = await OctoflowCodec(PayloadKeys.parse(f"key:{KEY}")).encode(PAYLOADS)
    answer = await client.post("/decode", data=body(written), headers={"Origin": UI})

    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == UI
    assert payloads_of(await answer.text()) == PAYLOADS


async def test_what_a_person_enters_in_the_ui_is_encrypted(client: Page) -> None:
    answer = await client.post("/encode", data=body(PAYLOADS), headers={"Origin": UI})
    encoded = payloads_of(await answer.text())

    assert all(payload.metadata["encryption-key-id"] == b"key" for payload in encoded)
    assert not any(b"canary" in payload.data for payload in encoded)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"{UI}0", "http://localhost:8233"])
async def test_another_page_gets_nothing(client: Page, origin: str) -> None:
    for answer in (
        await client.post("/decode", data=body(PAYLOADS), headers={"Origin": origin}),
        await client.options("/decode", headers={"Origin": origin}),
    ):
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "canary" not in await answer.text()


async def test_a_browser_that_asks_first_is_told_what_it_may_send(client: Page) -> None:
    answer = await client.options("/decode", headers={"Origin": UI})

    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == UI
    assert "x-namespace" in answer.headers["Access-Control-Allow-Headers"]


async def test_a_missing_key_is_told_without_ending_the_server(client: Page) -> None:
    foreign = await OctoflowCodec(PayloadKeys.parse(f"lost:{OTHER_KEY}")).encode(PAYLOADS)
    answer = await client.post("/decode", data=body(foreign))
    assert (answer.status, "under the key 'lost'" in await answer.text()) == (422, True)

    again = await client.post("/decode", data=body(PAYLOADS))
    assert again.status == 200


@pytest.mark.parametrize("text", ["", '{"payloads": 7}', "\ufffd"])
async def test_nonsense_is_refused(client: Page, text: str) -> None:
    assert (await client.post("/decode", data=text)).status == 400


def test_a_port_that_is_taken_is_named(octoflow: Octoflow) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        octoflow.fails("codec-server", "--port", str(port), code=1, saying=[f"port {port} cannot be used"])


def test_a_key_that_is_none_is_refused_at_the_start(
    octoflow: Octoflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTOFLOW_ENCRYPTION_KEY", "short")
    octoflow.fails("codec-server", code=2, saying=["32 bytes in base64"])
