"""How payloads and failures lie in Temporal: compressed where that saves room, encrypted under a key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, PayloadCodec, PayloadConverter

COMPRESS_ABOVE: Final = 2_048
"""Bytes up to which a payload is left as it is: readable, and hardly smaller when compressed."""

COMPRESSION_LEVEL: Final = 1
"""States are written far more often than they are stored for long: speed counts for more than size."""

MAX_DECOMPRESSED: Final = 64 * 1024 * 1024
"""Bytes; nothing that Octoflow writes comes near. A payload that would become larger is not ours."""

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12

_ENCODING: Final = "encoding"
_KEY_ID: Final = "encryption-key-id"
_COMPRESSED: Final = b"binary/zlib"
_ENCRYPTED: Final = b"binary/encrypted"
_HIDDEN_MESSAGE: Final = "Encoded failure"


class PayloadKeyError(Exception):
    """A key for payloads is missing or cannot be used; the message says what to do, and no key."""


@dataclass(frozen=True, slots=True)
class PayloadKeys:
    """AES-256 keys by id. The first one encrypts, all of them decrypt, so that keys can be replaced.

    Attributes:
        current: id of the key that encrypts; None encrypts nothing.
        ciphers: by key id.
    """

    current: str | None = None
    ciphers: Mapping[str, AESGCM] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, text: str) -> PayloadKeys:
        """Read keys: 32 bytes in base64 each, separated by commas or spaces, an `id:` before it or not.

        A key without an id gets one that is derived from it.

        Raises:
            PayloadKeyError: there is no key, or one that is no such key.
        """
        keys = dict(_key(entry) for entry in text.replace(",", " ").split())
        if not keys:
            raise PayloadKeyError(f"there is no encryption key. {_HOW_TO_MAKE_ONE}")
        return cls(next(iter(keys)), {name: AESGCM(key) for name, key in keys.items()})

    @classmethod
    def read(cls, file: Path) -> PayloadKeys:
        """Read keys from a file that nobody but its owner can read.

        Raises:
            PayloadKeyError: others can read the file, or it cannot be read, or holds no keys.
        """
        try:
            if file.stat().st_mode & 0o077:
                raise PayloadKeyError(
                    f"{file} holds encryption keys and can be read by others: `chmod 600 {file}`"
                )
            return cls.parse(file.read_text())
        except OSError as error:
            raise PayloadKeyError(f"{file} holds no encryption keys: {error.strerror}") from error


_HOW_TO_MAKE_ONE: Final = (
    "This makes one: python3 -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'"
)


def _key(entry: str) -> tuple[str, bytes]:
    name, _, text = entry.rpartition(":")
    try:
        key = base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise PayloadKeyError(
            f"an encryption key is not {KEY_BYTES} bytes in base64 (its text has {len(text)} characters). "
            f"{_HOW_TO_MAKE_ONE}"
        )
    return name or hashlib.sha256(key).hexdigest()[:8], key


class OctoflowCodec(PayloadCodec):
    """Compresses large payloads, then encrypts all of them if there is a key.

    What was written otherwise, by an older release or under an older key, is still read.
    """

    def __init__(self, keys: PayloadKeys | None = None) -> None:
        self._keys = keys or PayloadKeys()

    @property
    def encrypts(self) -> bool:
        """Whether nobody can read a payload in Temporal without the key."""
        return self._keys.current is not None

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See base class."""
        return [self._encrypted(_compressed(payload)) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See base class.

        Raises:
            PayloadKeyError: the key of a payload is not known here.
        """
        return [_decompressed(self._decrypted(payload)) for payload in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        name = self._keys.current
        if name is None:
            return payload
        nonce, identity = os.urandom(NONCE_BYTES), name.encode()
        sealed = self._keys.ciphers[name].encrypt(nonce, payload.SerializeToString(), identity)
        return Payload(metadata={_ENCODING: _ENCRYPTED, _KEY_ID: identity}, data=nonce + sealed)

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get(_ENCODING) != _ENCRYPTED:
            return payload
        identity = payload.metadata.get(_KEY_ID, b"")
        cipher = self._keys.ciphers.get(identity.decode(errors="replace"))
        if cipher is None:
            raise PayloadKeyError(
                f"a payload is encrypted under the key {identity.decode(errors='replace')!r}, which is not "
                "known here: add it to OCTOFLOW_ENCRYPTION_KEY, behind the key that encrypts"
            )
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, sealed, identity))
        except InvalidTag as error:
            raise PayloadKeyError(
                f"the key {identity.decode()!r} is not the one that a payload was encrypted with"
            ) from error


def _compressed(payload: Payload) -> Payload:
    if len(payload.data) <= COMPRESS_ABOVE:
        return payload
    data = zlib.compress(payload.SerializeToString(), COMPRESSION_LEVEL)
    smaller = len(data) < len(payload.data)
    return Payload(metadata={_ENCODING: _COMPRESSED}, data=data) if smaller else payload


def _decompressed(payload: Payload) -> Payload:
    if payload.metadata.get(_ENCODING) != _COMPRESSED:
        return payload
    stream = zlib.decompressobj()
    data = stream.decompress(payload.data, MAX_DECOMPRESSED)
    if stream.unconsumed_tail:
        raise ValueError(f"a payload has more than {MAX_DECOMPRESSED} bytes when it is decompressed")
    return Payload.FromString(data)


class PlainFailureConverter(DefaultFailureConverter):
    """Sends errors without stack traces: those belong to the worker's log, not into histories."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """See base class."""
        super().to_failure(exception, payload_converter, failure)
        for one in _with_causes(failure):
            one.stack_trace = ""


class HidingFailureConverter(PlainFailureConverter):
    """Moves messages of errors into payloads as well, which the codec encrypts."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """See base class."""
        super().to_failure(exception, payload_converter, failure)
        for one in _with_causes(failure):
            if not one.HasField("encoded_attributes"):
                attributes = {"message": one.message, "stack_trace": ""}
                one.encoded_attributes.CopyFrom(payload_converter.to_payloads([attributes])[0])
            one.message = _HIDDEN_MESSAGE


def _with_causes(failure: Failure) -> Iterable[Failure]:
    yield failure
    while failure.HasField("cause"):
        failure = failure.cause
        yield failure
