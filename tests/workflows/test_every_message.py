"""Every message at every moment: served after what is under way, once, and answered in bounded time.

The handlers are those of the workflow's definition: one that is added later fails here until it has a row in
each of the tables (`message_tables.py`), which say what is right. A message that comes while an invocation is
under way is served after it, as if it had come right behind it; the invocation's end undoes nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import product

import pytest
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from tests.support.driven import Driven, Sent, edited
from tests.support.temporal import counted
from tests.workflows.message_tables import (
    ATTENTION,
    BETWEEN,
    CARRIES,
    DURING,
    DURING_A_PAUSE,
    ENDINGS,
    ENDS,
    LATER,
    LATER_ON,
    MESSAGES,
    OCCASIONS,
    ONCE,
    PAUSED,
    REFUSED,
    SAME_INSTANT,
    TOO_LATE,
    WAITING,
    WAITS,
    Served,
    expected_during,
)
from workflows.automation import Automation
from workflows.messages import (
    ActionAnswer,
    ApplyEdit,
    ApproveRequest,
    EditRequest,
    ExecuteRequest,
    InvocationResult,
    RunInvocation,
    StopRequest,
)

# --- the play -----------------------------------------------------------------------------------------------


def ended_so(request: RunInvocation, ending: str) -> InvocationResult | ApplicationError:
    """Return how an invocation ends; each one answers the priority actions that it was given."""
    how = ENDINGS[ending]
    if isinstance(how, ApplicationError):
        return how
    result = {name: value for name, value in how.items() if name != "due"}
    at = request.woken_at + LATER_ON if "due" in how else None
    answers = {action["id"]: ActionAnswer(value=1) for action in request.priority_actions}
    return counted(request, **result, due_at=at, wake_at=at, answers=answers)


def settle(play: Driven) -> int:
    """Let everything run that is due at once, and succeed; return how many invocations began."""
    before = len(play.requests)
    for _ in range(20):
        if play.under_way:
            request = play.under_way[0].request
            if isinstance(request, ApplyEdit):
                play.complete(edited(request))
            elif request.stopping:
                play.complete(counted(request, status="stopped"))
            else:
                play.complete(ended_so(request, "running"))
        elif play.fires_soon:
            play.fire()
        else:
            return len(play.requests) - before
    raise AssertionError("it never comes to rest")


def stand(play: Driven, standing: str) -> None:
    """Bring an automation that was started to where it waits."""
    first = play.requests[0]
    if standing == "paused":
        play.complete(ended_so(first, "holding"))
        play.send("pause")
    elif standing == "stopping":
        play.complete(ended_so(first, "holding"))
        play.send("stop", StopRequest())
        round_ = play.requests[-1]
        play.complete(counted(round_, pending_effects=1, wake_at=round_.woken_at + 60))
    else:
        play.complete(ended_so(first, standing))


def begin(play: Driven, cause: str) -> None:
    """Begin an invocation."""
    if cause == "scheduled":
        play.fire()
    elif cause == "edit":
        play.send("edit", EditRequest(upsert=[{"id": "cause", "dsl_script": "1"}]))
        play.complete(edited(play.edits[-1]))
    elif cause == "approve":
        play.send("approve", ApproveRequest(keys=["cause"]))
    elif cause == "execute":
        play.send("execute", ExecuteRequest(actions=[{"id": "cause", "dsl_script": "1"}]))
    else:
        play.send("trigger")
    assert len(play.under_way) == 1


def under_way(play: Driven, standing: str, cause: str) -> None:
    """Start an automation and bring it into an invocation."""
    play.start()
    if standing != "starting":
        stand(play, standing)
        begin(play, cause)


@cache
def followed_anyway(standing: str, cause: str, ending: str) -> int:
    """Return how many invocations run at once after one that no message disturbs."""
    with Driven() as play:
        under_way(play, standing, cause)
        begun = len(play.requests)
        play.complete(ended_so(play.requests[-1], ending))
        settle(play)
        return len(play.requests) - begun


@contextmanager
def said_of(case: str) -> Iterator[None]:
    """Name the case that fails."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"in the case: {case}")
        raise


def status(play: Driven) -> str:
    said: str = play.query("status")["status"]
    return said


def go_on(play: Driven) -> None:
    """Do what lets the automation go on: end its pause, look at it, or wait."""
    if status(play) == "needs_attention":
        play.send("retry")
        settle(play)
    if status(play) == "paused":
        play.send("resume")
        settle(play)
    if play.timer is not None:
        play.fire()
        settle(play)


def check(
    play: Driven, sent: Sent, served: Served, begun: int, followed: int, anyway: int, owed: int = 0
) -> None:
    """Compare what became of a message with what is right.

    Args:
        play: the automation.
        sent: the message.
        served: what is right for it.
        begun: invocations that had begun before it.
        followed: invocations that ran at once after it.
        anyway: those that would have run without it.
        owed: those that have to run for what failed, and do not wait longer than the message.
    """
    check_its_answer(sent, served)
    low, high = {
        ONCE: (max(1, anyway), max(1, anyway, 1 + owed)),
        PAUSED: (0, 0),
        LATER: (0, 20),
        ENDS: (0, 20),
    }.get(served, (anyway, anyway + owed))
    assert low <= followed <= high
    if served is ENDS or play.result is not None:
        assert play.result is not None
        return
    if served is PAUSED:
        assert status(play) in {"paused", "needs_attention"}
    if served is not ONCE:
        go_on(play)
    if served is PAUSED:
        assert status(play) == "running"
    check_its_effect(play, sent, served, play.requests[begun:])


def check_its_answer(sent: Sent, served: Served) -> None:
    if sent.name != "trading_signal":
        assert sent.answered, "the message is never answered"
    if served in {REFUSED, TOO_LATE, ATTENTION}:
        assert sent.accepted == (served is not REFUSED)
        text = {TOO_LATE: "has ended", ATTENTION: "needs attention"}.get(served, "")
        assert text in str(sent.error)
    else:
        assert sent.error is None


def check_its_effect(play: Driven, sent: Sent, served: Served, heard: list[RunInvocation]) -> None:
    if sent.name in CARRIES:
        times = sum(map(CARRIES[sent.name], heard))
        assert times == (served in {ONCE, LATER, WAITS}), f"{times} invocations were told of it"
    if sent.name == "edit" and served is not TOO_LATE:
        assert len([one for one in play.edits if one.edit == MESSAGES["edit"]]) == 1
        assert "asked" in heard[-1].state["edited"]


def check_the_end(play: Driven) -> None:
    """Whatever came before: each query is answered, and a stop ends it."""
    for query in workflow._Definition.must_from_class(Automation).queries:
        assert play.query(str(query)) is not None
    if play.result is None:
        last = play.send("stop", StopRequest())
        settle(play)
        assert last.answer["status"] == "stopped"
        assert play.result is not None


# --- the tests ----------------------------------------------------------------------------------------------


def test_every_handler_has_a_row_in_each_table() -> None:
    definition = workflow._Definition.must_from_class(Automation)
    handlers = {str(name) for name in (*definition.updates, *definition.signals)}
    for table in (MESSAGES, DURING, DURING_A_PAUSE, BETWEEN):
        assert set(table) == handlers
    silent = {"edit", "retry", "pause", "resume", "stop"}  # seen in what runs, not in what it is told
    assert set(CARRIES) == handlers - silent


@pytest.mark.parametrize(
    ("message", "ending"), [pytest.param(*case, id="-".join(case)) for case in product(MESSAGES, ENDINGS)]
)
@pytest.mark.parametrize("together", [False, True], ids=["during", "with-its-end"])
def test_a_message_during_an_invocation_is_served_after_it(message: str, ending: str, together: bool) -> None:
    for standing, cause in SAME_INSTANT if together else OCCASIONS:
        with Driven() as play, said_of(f"{standing}, {cause}"):
            under_way(play, standing, cause)
            begun = len(play.requests)
            end = ended_so(play.requests[-1], ending)
            if together:
                (sent,) = play.complete(end, (message, MESSAGES[message]))
            else:
                sent = play.send(message, MESSAGES[message])
                assert len(play.requests) == begun, "two invocations at a time"
                play.complete(end)
            followed = len(play.requests) - begun + settle(play)
            served = expected_during(message, standing, cause, ending)
            anyway = followed_anyway(standing, cause, ending)
            owed = int(ending == "retryable" and cause in {"edit", "approve", "execute"})
            check(play, sent, served, begun, followed, anyway, owed)
            check_the_end(play)


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("standing", WAITING)
def test_a_message_between_two_invocations_is_served_at_once(message: str, standing: str) -> None:
    with Driven() as play:
        if standing == "starting":
            (sent,) = play.start((message, MESSAGES[message]))
            begun = 0
        else:
            play.start()
            stand(play, standing)
            begun = len(play.requests)
            sent = play.send(message, MESSAGES[message])
        if standing == "stopping" and play.timer is not None:
            play.fire()
        followed = len(play.requests) - begun + settle(play)
        served = BETWEEN[message][WAITING.index(standing)]
        check(play, sent, served, begun, followed, anyway=int(standing in {"starting", "stopping"}))
        check_the_end(play)


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("standing", ["running", "postponed", "awaiting", "retryable", "paused", "permanent"])
@pytest.mark.parametrize("refused", [False, True], ids=["applied", "refused"])
def test_a_message_while_an_edit_is_applied_is_served_after_it(
    message: str, standing: str, refused: bool
) -> None:
    with Driven() as play:
        play.start()
        stand(play, standing)
        begun = len(play.requests)
        play.send("edit", EditRequest(upsert=[{"id": "cause", "dsl_script": "1"}]))
        sent = play.send(message, MESSAGES[message])
        assert len(play.requests) == begun
        refusal = ApplicationError("no", type="EditError", non_retryable=True)
        play.complete(refusal if refused else edited(play.edits[0]))
        followed = len(play.requests) - begun + settle(play)
        served = BETWEEN[message][WAITING.index(standing)]
        heals = standing == "permanent" and not refused
        anyway = int(not refused and standing != "paused")
        owed = int(message == "execute" or (message == "resume" and standing == "paused"))
        if served is LATER and heals:
            served = ONCE
        check(play, sent, served, begun, followed, anyway, owed)
        check_the_end(play)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_during_a_stop_that_comes_to_nothing_is_served_after_it(message: str) -> None:
    with Driven() as play:
        play.start()
        stand(play, "awaiting")
        first = play.send("stop", StopRequest(cancel_open_orders=True))
        begun = len(play.requests)
        sent = play.send(message, MESSAGES[message])
        play.complete(ended_so(play.requests[-1], "permanent"))
        assert "could not be cancelled" in str(first.error)
        followed = len(play.requests) - begun + settle(play)
        check(play, sent, DURING[message][list(ENDINGS).index("awaiting")], begun, followed, anyway=0)
        check_the_end(play)


@pytest.mark.parametrize("ending", ["settled", "left", "retryable", "permanent"])
def test_a_stop_that_cancels_orders_is_heard_by_a_round_of_its_own(ending: str) -> None:
    with Driven() as play:
        play.start()
        stand(play, "holding")
        plain = play.send("stop", StopRequest())
        cancelling = play.send("stop", StopRequest(cancel_open_orders=True))
        first = play.requests[-1]
        settled = {
            "settled": counted(first, status="stopped", open_orders=1),
            "left": counted(first, pending_effects=1, open_orders=1),
        }
        play.complete(settled.get(ending) or ended_so(first, ending))
        settle(play)
        assert plain.answer["status"] == cancelling.answer["status"] == "stopped"
        rounds = [request.cancel_open_orders for request in play.requests if request.stopping]

    assert rounds == [False, True]
