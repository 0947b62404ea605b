"""Commands about files and the language work without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.writing import reference
from engine.operators import default_registry
from tests.cli.conftest import Octoflow
from tests.conftest import REPOSITORY
from tests.support.builders import NOW, scripts

GOOD = "name: bot\nactions: {a: 1 + 1}\n"
BAD = "name: bot\nactions: {a: 1 +, b: 'maxx(1, 2)'}\n"


@pytest.fixture
def good(tmp_path: Path) -> str:
    return _written(tmp_path / "good.yaml", GOOD)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    return _written(tmp_path / "bad.yaml", BAD)


def _written(file: Path, text: str) -> str:
    file.write_text(text)
    return str(file)


class TestValidate:
    def test_a_sound_file_is_accepted(self, octoflow: Octoflow, good: str) -> None:
        ran = octoflow("validate", good)
        assert ran.exit_code == 0
        assert "1 action" in ran.out

    def test_every_problem_of_every_file_is_printed_with_its_position(
        self, octoflow: Octoflow, good: str, bad: str
    ) -> None:
        octoflow.fails(
            "validate", bad, good, code=2, saying=[f"{bad}:2:", "action 'a'", "action 'b'", "`max`"]
        )

    def test_programs_get_the_problems_as_json(self, octoflow: Octoflow, good: str, bad: str) -> None:
        ran = octoflow.fails("validate", "--json", good, bad, code=2)
        first, second = ran.json
        assert first == {"file": good, "valid": True, "actions": 1}
        assert [(problem["line"], problem["action"]) for problem in second["problems"]] == [
            (2, "a"),
            (2, "b"),
        ]

    def test_standard_input_is_a_file_like_any_other(self, octoflow: Octoflow) -> None:
        assert octoflow("validate", "-", stdin=GOOD).exit_code == 0
        octoflow.fails("validate", "-", code=2, saying=["stdin:2:"], stdin=BAD)

    def test_a_file_that_cannot_be_read_is_named(self, octoflow: Octoflow, tmp_path: Path) -> None:
        missing = str(tmp_path / "missing.yaml")
        octoflow.fails("validate", missing, code=2, saying=["missing.yaml", "No such file"])
        binary = tmp_path / "binary.yaml"
        binary.write_bytes(b"\xff\xfe\x00")
        octoflow.fails("validate", str(binary), code=2, saying=["UTF-8"])

    @pytest.mark.parametrize(
        "example", sorted((REPOSITORY / "examples").glob("*.yaml")), ids=lambda file: file.stem
    )
    def test_every_example_is_valid(self, octoflow: Octoflow, example: Path) -> None:
        ran = octoflow("validate", str(example))
        assert ran.exit_code == 0, ran.err


class TestLanguageReference:
    def test_all_operators_are_listed_by_set(self, octoflow: Octoflow) -> None:
        ran = octoflow("operators")
        assert ran.exit_code == 0
        assert "loop_until" in ran.out

    def test_one_operator_is_shown_with_signature_and_example(self, octoflow: Octoflow) -> None:
        ran = octoflow("operators", "wait")
        assert "wait(min_seconds" in ran.out
        assert "Example:" in ran.out

    def test_programs_get_the_signatures_as_json(self, octoflow: Octoflow) -> None:
        (described,) = octoflow("operators", "sqrt", "--json").json
        assert described["name"] == "sqrt"
        assert described["parameters"][0]["required"]

    def test_an_unknown_name_suggests_the_closest_one(self, octoflow: Octoflow) -> None:
        octoflow.fails("operators", "sqart", code=2, saying=["`sqrt`"])

    def test_the_page_in_the_documentation_is_up_to_date(self) -> None:
        page = (REPOSITORY / "docs" / "operators.md").read_text()
        assert page == reference.markdown(default_registry()), "run `make docs`"

    def test_the_schema_is_json(self, octoflow: Octoflow) -> None:
        assert octoflow("schema").json["properties"]["actions"]


class TestInvoke:
    def test_a_state_goes_in_and_the_next_one_comes_out(self, octoflow: Octoflow) -> None:
        ran = octoflow("invoke", "--now", str(NOW), stdin=json.dumps(scripts("40 + 2")))
        assert ran.exit_code == 0
        (action,) = ran.json["automation"]["actions_dag"]["actions"]
        assert (action["result"], action["executed_at"]) == (42, NOW)
        assert json.loads(ran.err)["status"] == "finished"

    def test_the_time_can_be_a_date(self, octoflow: Octoflow) -> None:
        ran = octoflow("invoke", "--now", "2024-01-01T00:00:10Z", stdin=json.dumps(scripts("now()")))
        assert ran.json["automation"]["actions_dag"]["actions"][0]["result"] == 1704067210.0

    def test_text_that_is_no_state_is_refused(self, octoflow: Octoflow) -> None:
        octoflow.fails("invoke", code=2, saying=["not a JSON state"], stdin="{")
        octoflow.fails("invoke", code=2, saying=["JSON object"], stdin="[]")
        octoflow.fails(
            "invoke", "--now", "soon", code=2, saying=["--now", "soon"], stdin=json.dumps(scripts("1"))
        )

    def test_a_state_of_a_newer_schema_is_refused(self, octoflow: Octoflow) -> None:
        newer = json.dumps({**scripts("1"), "schema_version": 99})
        octoflow.fails("invoke", code=2, saying=["schema version 99", "update Octoflow"], stdin=newer)
