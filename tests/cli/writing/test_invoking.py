"""`octoflow invoke` runs one invocation without a server."""

from __future__ import annotations

import json

from tests.cli.conftest import Octoflow
from tests.support.builders import NOW, scripts


def test_a_state_goes_in_and_the_next_one_comes_out(octoflow: Octoflow) -> None:
    ran = octoflow("invoke", "--now", str(NOW), stdin=json.dumps(scripts("40 + 2")))
    assert ran.exit_code == 0
    (action,) = ran.json["automation"]["actions_dag"]["actions"]
    assert (action["result"], action["executed_at"]) == (42, NOW)
    assert json.loads(ran.err)["status"] == "finished"


def test_the_time_can_be_a_date(octoflow: Octoflow) -> None:
    ran = octoflow("invoke", "--now", "2024-01-01T00:00:10Z", stdin=json.dumps(scripts("now()")))
    assert ran.json["automation"]["actions_dag"]["actions"][0]["result"] == 1704067210.0


def test_text_that_is_no_state_is_refused(octoflow: Octoflow) -> None:
    octoflow.fails("invoke", code=2, saying=["not a JSON state"], stdin="{")
    octoflow.fails("invoke", code=2, saying=["JSON object"], stdin="[]")
    octoflow.fails(
        "invoke", "--now", "soon", code=2, saying=["--now", "soon"], stdin=json.dumps(scripts("1"))
    )


def test_a_state_of_a_newer_schema_is_refused(octoflow: Octoflow) -> None:
    newer = json.dumps({**scripts("1"), "schema_version": 99})
    octoflow.fails("invoke", code=2, saying=["schema version 99", "update Octoflow"], stdin=newer)
