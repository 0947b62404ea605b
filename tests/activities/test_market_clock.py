"""The automation's time, on the workflow's clock and on that of a recorded market."""

from __future__ import annotations

import pytest

from activities.market_clock import RecordedTime, Waking, automation_time, workflow_time
from workflows.messages import Clock

MARKET = RecordedTime(start=1_000, speed=60)
LAST = Clock(real=5_000, market=2_000)


def woken(
    at: float, *, due_at: float | None = None, by_timer: bool = True, clock: Clock | None = LAST
) -> Waking:
    return Waking(at=at, due_at=due_at, by_timer=by_timer, clock=clock)


class TestAMarketThatIsNotRecorded:
    def test_lives_on_the_workflow_clock(self) -> None:
        assert automation_time(woken(7_000.5, due_at=7_000), recorded=None) == 7_000.5
        assert workflow_time(8_000, woken(7_000), now=7_000, recorded=None) == 8_000

    def test_is_never_before_the_due_time_that_its_timer_waited_for(self) -> None:
        assert automation_time(woken(6_999.999, due_at=7_000), recorded=None) == 7_000

    def test_is_not_moved_to_the_due_time_by_a_message(self) -> None:
        assert automation_time(woken(6_000, due_at=7_000, by_timer=False), recorded=None) == 6_000


class TestARecordedMarket:
    def test_starts_with_the_first_invocation(self) -> None:
        assert automation_time(woken(9_999, clock=None), MARKET) == 1_000

    @pytest.mark.parametrize("late", [0, 0.01, 3_600])
    def test_is_at_the_due_time_however_late_the_machine_is(self, late: float) -> None:
        assert automation_time(woken(5_010 + late, due_at=2_600), MARKET) == 2_600

    def test_runs_at_its_speed_until_a_message_comes(self) -> None:
        assert automation_time(woken(5_002, due_at=2_600, by_timer=False), MARKET) == 2_000 + 2 * 60

    def test_waits_at_the_due_time_for_a_message_that_comes_after_it(self) -> None:
        assert automation_time(woken(9_000, due_at=2_600, by_timer=False), MARKET) == 2_600

    def test_goes_on_when_nothing_is_due(self) -> None:
        assert automation_time(woken(5_010, by_timer=False), MARKET) == 2_600

    def test_never_runs_backwards(self) -> None:
        assert automation_time(woken(4_000, by_timer=False), MARKET) == 2_000

    def test_shortens_timers_by_its_speed(self) -> None:
        assert workflow_time(2_600, woken(5_000), now=2_000, recorded=MARKET) == 5_010
