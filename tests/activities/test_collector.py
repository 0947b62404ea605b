"""The garbage collector runs between invocations, never inside one."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from activities.collector import COLLECT_AT_LAST, COLLECT_EVERY, FULL, FULL_EVERY, QuietCollector


@pytest.fixture
def collections() -> Iterator[list[int]]:
    """Generations of the collections that happen during a test, other than the very quick ones."""
    seen: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] > 0:
            seen.append(info["generation"])

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


def test_it_stays_off_until_the_last_of_several_invocations_has_ended() -> None:
    collector = QuietCollector()
    with collector.off():
        with collector.off():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_runs_in_a_quiet_moment_every_so_often(collections: list[int]) -> None:
    collector = QuietCollector()
    for _ in range(FULL_EVERY * COLLECT_EVERY):
        with collector.off():
            pass

    assert len(collections) == FULL_EVERY
    assert collections[-1] == FULL


def test_it_runs_at_last_when_there_is_no_quiet_moment(collections: list[int]) -> None:
    collector = QuietCollector()
    with collector.off():
        for _ in range(COLLECT_AT_LAST):
            with collector.off():
                pass

    assert len(collections) == 1
