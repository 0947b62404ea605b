"""`octoflow operators` and `octoflow schema` say what can be written."""

from __future__ import annotations

from cli.writing import reference
from engine.operators import default_registry
from tests.cli.conftest import Octoflow
from tests.conftest import REPOSITORY


def test_all_operators_are_listed_by_set(octoflow: Octoflow) -> None:
    ran = octoflow("operators")
    assert ran.exit_code == 0
    assert "loop_until" in ran.out


def test_one_operator_is_shown_with_signature_and_example(octoflow: Octoflow) -> None:
    ran = octoflow("operators", "wait")
    assert "wait(min_seconds" in ran.out
    assert "Example:" in ran.out


def test_programs_get_the_signatures_as_json(octoflow: Octoflow) -> None:
    (described,) = octoflow("operators", "sqrt", "--json").json
    assert described["name"] == "sqrt"
    assert described["parameters"][0]["required"]


def test_an_unknown_name_suggests_the_closest_one(octoflow: Octoflow) -> None:
    octoflow.fails("operators", "sqart", code=2, saying=["`sqrt`"])


def test_the_page_in_the_documentation_is_up_to_date() -> None:
    page = (REPOSITORY / "docs" / "operators.md").read_text()
    assert page == reference.markdown(default_registry()), "run `make docs`"


def test_the_schema_is_json(octoflow: Octoflow) -> None:
    assert octoflow("schema").json["properties"]["actions"]
