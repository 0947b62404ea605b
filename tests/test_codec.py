"""Payloads: small enough, unreadable without the key, and readable for ever with it."""

from __future__ import annotations

import base64
import random
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import WorkflowUpdateFailedError
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.exceptions import ApplicationError

from codec import (
    HidingFailureConverter,
    OctoflowCodec,
    PayloadKeyError,
    PayloadKeys,
    PlainFailureConverter,
)
from connection import Settings, encrypts_payloads
from tests.support.temporal import counted, development_server, new_state, serving, start
from workflows.automation import Automation
from workflows.messages import InvocationResult, RunInvocation, StopRequest

FIRST = base64.b64encode(bytes(range(32))).decode()
SECOND = base64.b64encode(bytes(range(100, 132))).decode()
SMALL = Payload(metadata={"encoding": b"json/plain"}, data=b'"canary"')
LARGE = Payload(metadata={"encoding": b"json/plain"}, data=b'"canary' * 1_000)


def codec(text: str | None = None) -> OctoflowCodec:
    return OctoflowCodec(PayloadKeys.parse(text) if text else PayloadKeys())


async def passed_through(payload: Payload, written: OctoflowCodec, read: OctoflowCodec) -> Payload:
    (decoded,) = await read.decode(await written.encode([payload]))
    return decoded


@pytest.mark.parametrize("keys", [None, FIRST], ids=["plain", "encrypted"])
@pytest.mark.parametrize("payload", [SMALL, LARGE], ids=["small", "large"])
async def test_a_payload_comes_back_as_it_was(payload: Payload, keys: str | None) -> None:
    assert await passed_through(payload, codec(keys), codec(keys)) == payload


async def test_small_payloads_stay_readable_and_large_ones_are_compressed() -> None:
    small, large = await codec().encode([SMALL, LARGE])
    assert small == SMALL
    assert len(large.data) < len(LARGE.data) / 10


async def test_a_payload_that_compression_would_not_help_stays_as_it_is() -> None:
    noise = Payload(metadata={"encoding": b"binary/plain"}, data=random.Random(1).randbytes(5_000))
    assert await codec().encode([noise]) == [noise]


async def test_an_encrypted_payload_shows_nothing_but_the_name_of_its_key() -> None:
    (hidden,) = await codec(f"spring:{FIRST}").encode([SMALL])
    assert b"canary" not in hidden.SerializeToString()
    assert b"json/plain" not in hidden.SerializeToString()
    assert hidden.metadata["encryption-key-id"] == b"spring"


async def test_the_same_payload_never_looks_the_same_twice() -> None:
    first, second = await codec(FIRST).encode([SMALL, SMALL])
    assert first.data != second.data


async def test_after_a_rotation_old_payloads_are_still_read() -> None:
    assert await passed_through(SMALL, codec(FIRST), codec(f"{SECOND},{FIRST}")) == SMALL
    (new,) = await codec(f"new:{SECOND},old:{FIRST}").encode([SMALL])
    assert new.metadata["encryption-key-id"] == b"new"


async def test_payloads_from_before_the_first_key_are_still_read() -> None:
    assert await passed_through(LARGE, codec(), codec(FIRST)) == LARGE


async def test_a_missing_key_is_named() -> None:
    with pytest.raises(PayloadKeyError, match="under the key 'old', which is not known"):
        await passed_through(SMALL, codec(f"old:{FIRST}"), codec(f"new:{SECOND}"))


async def test_another_key_under_the_same_name_is_noticed() -> None:
    with pytest.raises(PayloadKeyError, match="'key' is not the one"):
        await passed_through(SMALL, codec(f"key:{FIRST}"), codec(f"key:{SECOND}"))


async def test_a_payload_that_explodes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codec.MAX_DECOMPRESSED", 1_000)
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        await passed_through(LARGE, codec(), codec())


@pytest.mark.parametrize("text", ["", "short", f"{FIRST}x", "id:%%%%"])
def test_what_is_no_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(PayloadKeyError, match="This makes one") as caught:
        PayloadKeys.parse(text)
    assert FIRST not in str(caught.value)


def test_keys_never_show_themselves() -> None:
    settings = Settings(encryption_key=FIRST)
    assert FIRST not in repr(settings) + repr(settings.payload_keys()) + settings.model_dump_json()


def test_keys_come_from_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"new:{SECOND}\nold:{FIRST}\n")
    file.chmod(0o644)
    with pytest.raises(PayloadKeyError, match=f"chmod 600 {file}"):
        Settings(encryption_key_file=file).payload_keys()

    file.chmod(0o600)
    keys = Settings(encryption_key_file=file).payload_keys()
    assert (keys.current, set(keys.ciphers)) == ("new", {"new", "old"})


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PayloadKeyError, match="nowhere holds no encryption keys"):
        Settings(encryption_key_file=tmp_path / "nowhere").payload_keys()


def test_one_source_of_keys_is_enough(tmp_path: Path) -> None:
    with pytest.raises(PayloadKeyError, match="not both"):
        Settings(encryption_key=FIRST, encryption_key_file=tmp_path).payload_keys()


def _failure_of(converter: PlainFailureConverter) -> Failure:
    failure = Failure()
    try:
        try:
            raise ValueError("inner")
        except ValueError as inner:
            raise RuntimeError("outer") from inner
    except RuntimeError as error:
        converter.to_failure(error, PydanticPayloadConverter(), failure)
    return failure


def test_failures_travel_without_stack_traces() -> None:
    failure = _failure_of(PlainFailureConverter())
    assert (failure.message, failure.cause.message) == ("outer", "inner")
    assert (failure.stack_trace, failure.cause.stack_trace) == ("", "")


def test_with_a_key_the_messages_of_failures_are_payloads() -> None:
    converter = HidingFailureConverter()
    failure = _failure_of(converter)
    assert "outer" not in failure.message
    assert "inner" not in failure.cause.message
    assert b"test_codec.py" not in failure.SerializeToString()

    error = converter.from_failure(failure, PydanticPayloadConverter())
    assert isinstance(error, ApplicationError)
    assert error.message == "outer"
    assert str(error.__cause__) == "ValueError: inner"


def canary(request: RunInvocation) -> InvocationResult:
    """Respond with a canary in everything that can hold one."""
    if request.trigger == "forced":
        details = {"code": "canary"}
        raise ApplicationError("refused: canary", details, type="ConfigurationError", non_retryable=True)
    return counted(request, state={"secret": "canary"}, wake_at=9e9, outcome={"notes": ["canary"]})


async def test_with_a_key_nobody_reads_anything_in_temporal(
    temporal_binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTOFLOW_ENCRYPTION_KEY", FIRST)
    async with development_server(temporal_binary) as server, serving(server.client, canary) as engine:
        handle = await start(server.client, new_state(secret="canary"))
        await engine.called(1)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await handle.execute_update(Automation.trigger)
        await handle.execute_update(Automation.retry)
        await handle.execute_update(Automation.stop, StopRequest())
        result = await handle.result()
        history = await handle.fetch_history()

    assert encrypts_payloads(server.client)
    assert "refused: canary" in str(caught.value.cause)
    assert result.state["secret"] == "canary"
    assert not any(b"canary" in event.SerializeToString() for event in history.events)
