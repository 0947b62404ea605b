"""`octoflow import octobot` writes a state, and says what it could not keep."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from tests.cli.conftest import Octoflow
from tests.support.octobot import SAMPLES

LIVE = str(SAMPLES / "live.json")


def test_the_state_goes_to_stdout_and_the_notes_to_stderr(octoflow: Octoflow) -> None:
    ran = octoflow("import", "octobot", LIVE)
    assert ran.exit_code == 0
    assert ran.json["automation"]["metadata"]["automation_id"] == "live"
    assert "exchange_account_details.auth_details.api_key: a secret: not copied\n" in ran.err
    assert "0123456789" not in ran.out + ran.err


def test_stdin_is_read_and_what_comes_out_can_be_invoked(octoflow: Octoflow) -> None:
    ran = octoflow("import", "octobot", "-", stdin=(SAMPLES / "waiting.json").read_text())
    invoked = octoflow("invoke", "--now", "1704891003", stdin=ran.out)
    assert invoked.exit_code == 0
    assert json.loads(invoked.err)["next_due_at"] == 1_704_976_002.0


def test_a_file_is_for_its_owner_only(octoflow: Octoflow, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text("older and longer than what comes now" * 1_000)
    file.chmod(0o644)
    ran = octoflow("import", "octobot", LIVE, "-o", str(file), "--credentials", "env:BINANCE")
    assert ran.out == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    written = json.loads(file.read_text())
    assert written["exchange_account_details"]["auth_details"] == {"credential_ref": "env:BINANCE"}


def test_programs_get_one_document(octoflow: Octoflow, tmp_path: Path) -> None:
    ran = octoflow("import", "octobot", LIVE, "--json")
    assert ran.err == ""
    assert ran.json["state"]["schema_version"] == 1
    assert set(ran.json["notes"][0]) == {"path", "message"}
    file = str(tmp_path / "state.json")
    assert octoflow("import", "octobot", LIVE, "--json", "--output", file).json["file"] == file


def test_what_is_no_state_of_octobot_is_refused(octoflow: Octoflow, tmp_path: Path) -> None:
    octoflow.fails("import", "octobot", "-", code=2, saying=["stdin is not a JSON state"], stdin="{")
    octoflow.fails("import", "octobot", "-", code=2, saying=["nested too deep"], stdin="[" * 100_000)
    octoflow.fails("import", "octobot", "-", code=2, saying=["no state of OctoBot"], stdin="{}")
    octoflow.fails("import", "octobot", str(tmp_path / "none"), code=2, saying=["No such file"])
    octoflow.fails("import", "octobot", LIVE, "--credentials", "X", code=2, saying=["no reference to keys"])
    failed = octoflow.fails("import", "octobot", "-", "--json", code=2, stdin="{}")
    assert json.loads(failed.err)["error"]["code"] == "invalid_state"


def test_other_verbs_name_the_import(octoflow: Octoflow) -> None:
    octoflow.fails("invoke", code=2, saying=["octoflow import octobot"], stdin=Path(LIVE).read_text())
