"""Secrets are masked by value, job by job."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from typing import Any
from urllib.parse import quote

import pytest

from engine.masking import MaskingFilter, Secrets, mask, masking, register

SECRET = "k/3+y==secret value"
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIOhidden\nAwEHoUQDQgAEhidden\n-----END EC PRIVATE KEY-----\n"


def log_line(*args: Any, **options: Any) -> str:
    """What a handler with the filter writes."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(MaskingFilter())
    logger = logging.Logger("a job")
    logger.addHandler(handler)
    logger.error(*args, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    "text",
    [SECRET, quote(SECRET), quote(SECRET, safe=""), json.dumps({"key": SECRET}), f"key={SECRET};"],
)
def test_a_secret_is_masked_however_it_is_written(text: str) -> None:
    with masking():
        register([SECRET])
        assert "secret" not in mask(text)
        assert "***" in mask(text)


def test_no_line_of_a_private_key_is_shown() -> None:
    with masking():
        register([PEM])
        assert "hidden" not in mask(f"cannot read {PEM}")
        assert "hidden" not in mask("line 2: MHcCAQEEIOhidden")


def test_the_longer_of_two_secrets_is_masked_as_a_whole() -> None:
    assert Secrets(["abcd", "abcdefgh"]).mask("abcdefgh and abcd") == "*** and ***"


def test_the_query_of_an_address_is_cut_off() -> None:
    text = 'binance GET https://api.binance.com/api/v3/account?timestamp=1&signature=ab {"code":-2014}'
    assert mask(text) == 'binance GET https://api.binance.com/api/v3/account?*** {"code":-2014}'


def test_a_text_without_secrets_stays_as_it_is() -> None:
    with masking():
        register(["abc"])
        assert mask("abc: what is short would hide half of every text") == (
            "abc: what is short would hide half of every text"
        )


def test_secrets_end_with_their_scope() -> None:
    with masking():
        register([SECRET])
        with masking():
            register(["of the inner job"])
            assert mask(f"{SECRET}, of the inner job") == "***, ***"
        assert mask(f"{SECRET}, of the inner job") == "***, of the inner job"
    assert mask(SECRET) == SECRET


def test_nothing_is_kept_outside_of_a_scope() -> None:
    register([SECRET])
    assert mask(SECRET) == SECRET


async def test_jobs_side_by_side_know_only_their_own_secrets() -> None:
    both_registered = asyncio.Barrier(2)

    async def job(own: str) -> str:
        with masking():
            register([own])
            await both_registered.wait()
            return mask("first-secret second-secret")

    said = await asyncio.gather(job("first-secret"), job("second-secret"))
    assert list(said) == ["*** second-secret", "first-secret ***"]


async def test_what_a_task_of_the_job_registers_is_masked_in_the_whole_job() -> None:
    async def resolve() -> None:
        register([SECRET])

    with masking():
        await asyncio.create_task(resolve())
        assert mask(SECRET) == "***"


def test_a_log_record_is_masked_in_message_arguments_traceback_and_extras() -> None:
    with masking():
        register([SECRET])
        assert log_line("%s", SECRET) == "***\n"
        assert SECRET not in log_line("no %d", 1, extra={"where": SECRET}, stack_info=True)
        try:
            raise ValueError(SECRET)
        except ValueError:
            written = log_line("failed", exc_info=True)
    assert SECRET not in written
    assert "ValueError: ***" in written


def test_the_values_do_not_show_in_a_print() -> None:
    assert SECRET not in repr(Secrets([SECRET]))
