"""An automation file becomes a state, or a list of everything that is wrong with it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from engine.automation_file.compile import AutomationFileError, Problem, load_automation
from engine.automation_file.schema import automation_json_schema
from engine.state import AutomationState, dump_state, load_state

DIP_BUYER = """
name: Dip buyer
exchange: binance
symbol: BTC/USDT
time_frame: 4h
portfolio: {USDT: 1000, BTC: 0.1}
repeat: {every: 4h, max: 3}
actions:
  buy: "limit('buy', 'BTC/USDT', '10%', '-2%')"
  pause: {run: "wait(3600)", after: buy}
  cancel: {run: "cancel_order('BTC/USDT')", after: [pause]}
  report:
    run: "total('BTC') + $buy.created_orders[0].amount"
    after: cancel
    then: {restart: buy, after: 1d}
"""


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(AutomationFileError) as caught:
        load_automation(text, source_name="bot.yaml")
    return caught.value.problems


def only_problem_of(text: str) -> Problem:
    (problem,) = problems_of(text)
    return problem


def with_actions(actions: str, head: str = "name: bot\n") -> AutomationState:
    return load_automation(f"{head}actions:\n{actions}")


class TestCompilation:
    def test_every_part_of_a_file_finds_its_place_in_the_state(self) -> None:
        state = dump_state(load_automation(DIP_BUYER))

        assert state == {
            "schema_version": 1,
            "automation": {
                "metadata": {"automation_id": "dip-buyer", "name": "Dip buyer"},
                "defaults": {"symbol": "BTC/USDT", "time_frame": "4h"},
                "actions_dag": {
                    "actions": [
                        {"id": "buy", "dsl_script": "limit('buy', 'BTC/USDT', '10%', '-2%')"},
                        {"id": "pause", "dsl_script": "wait(3600)", "dependencies": [{"action_id": "buy"}]},
                        {
                            "id": "cancel",
                            "dsl_script": "cancel_order('BTC/USDT')",
                            "dependencies": [{"action_id": "pause"}],
                        },
                        {
                            "id": "report",
                            "dsl_script": "total('BTC') + $buy.created_orders[0].amount",
                            "dependencies": [{"action_id": "cancel"}],
                            "reset_target_action_id": "buy",
                            "reset_after": 86400.0,
                        },
                    ]
                },
                "schedule": {"every": 14400.0, "max": 3},
            },
            "exchange_account_details": {
                "exchange_details": {"internal_name": "binance"},
                "portfolio": {
                    "content": [{"asset": "USDT", "total": "1000"}, {"asset": "BTC", "total": "0.1"}]
                },
            },
        }

    def test_the_state_survives_dumping_and_loading(self) -> None:
        dumped = dump_state(load_automation(DIP_BUYER))
        assert dump_state(load_state(dumped)) == dumped

    def test_json_is_read_like_yaml_even_when_indented_with_tabs(self) -> None:
        text = json.dumps({"name": "bot", "actions": {"a": "1 + 1"}}, indent="\t")
        assert [action.id for action in load_automation(text).actions] == ["a"]

    def test_a_script_that_yaml_reads_as_a_number_is_still_a_script(self) -> None:
        assert [action.dsl_script for action in with_actions("  a: 5\n  b: true\n").actions] == ["5", "True"]

    def test_the_id_is_made_from_the_name_unless_the_file_gives_one(self) -> None:
        assert with_actions("  a: 1", "name: My 1st Bot!\n").automation.metadata.automation_id == "my-1st-bot"
        assert with_actions("  a: 1", "name: b\nid: X.1\n").automation.metadata.automation_id == "X.1"

    def test_a_configured_step_carries_its_partial_state(self) -> None:
        config = {"exchange_account_details": {"exchange_details": {"internal_name": "kraken"}}}
        text = json.dumps(
            {
                "name": "bot",
                "actions": {
                    "setup": {"action": "apply_configuration", "config": config},
                    "buy": {"run": "market('buy', 'BTC/USDT', '10%')", "after": "setup"},
                },
            }
        )
        assert load_automation(text).actions[0].config == config

    def test_a_recorded_market_is_relative_to_the_file(self, tmp_path: Path) -> None:
        text = """
name: bot
exchange: {id: binance, recorded: {folder: market, start: 2024-01-15T08:00:00Z, speed: 60}}
actions: {a: "price('BTC/USDT')"}
"""
        details = load_automation(text, folder=tmp_path).exchange_account_details
        assert details is not None
        recorded = details.exchange_details.recorded
        assert recorded is not None
        assert (recorded.folder, recorded.start, recorded.speed) == (
            str(tmp_path / "market"),
            1705305600.0,
            60,
        )

    def test_amounts_of_the_portfolio_are_exact(self) -> None:
        head = "name: b\nexchange: kraken\nportfolio: {BTC: 0.1, ETH: '0.30000000000000000001'}\n"
        details = with_actions("  a: 1", head).exchange_account_details
        assert details is not None
        assert [holding.total for holding in details.portfolio.content] == [
            Decimal("0.1"),
            Decimal("0.30000000000000000001"),
        ]

    @pytest.mark.parametrize(
        ("written", "seconds"), [("90", 90), ("90s", 90), ("1.5h", 5400), ("1d12h", 129600), ("1w", 604800)]
    )
    def test_durations_are_numbers_of_seconds_or_texts_with_units(self, written: str, seconds: float) -> None:
        schedule = with_actions("  a: 1", f"name: b\nrepeat: {{every: {written}}}\n").automation.schedule
        assert schedule is not None
        assert schedule.every == seconds

    def test_a_cron_schedule_keeps_its_time_zone_and_its_end(self) -> None:
        head = 'name: b\nrepeat: {cron: "0 9 * * 1-5", timezone: Europe/Paris, until: 2025-01-01}\n'
        schedule = with_actions("  a: 1", head).automation.schedule
        assert schedule is not None
        assert (schedule.cron, schedule.timezone, schedule.until) == (
            "0 9 * * 1-5",
            "Europe/Paris",
            1735689600.0,
        )

    def test_exchange_none_and_no_exchange_are_the_same(self) -> None:
        assert with_actions("  a: 1", "name: b\nexchange: none\n") == with_actions("  a: 1", "name: b\n")


class TestProblems:
    def test_all_problems_of_a_file_are_found_at_once_in_the_order_of_the_file(self) -> None:
        text = """\
name: bot
exchnge: binance
repeat: {every: 4x}
actions:
  buy: "mraket('buy', 'BTC/USDT', '10%')"
  sell: {run: "1 +", aftr: buy}
  pause: {run: "wait(5)", after: bye}
"""
        found = [(problem.line, problem.column, problem.action) for problem in problems_of(text)]
        assert found == [
            (2, 1, None),
            (3, 17, None),
            (5, 9, "buy"),
            (6, 19, "sell"),
            (6, 22, "sell"),
            (7, 34, "pause"),
        ]

    def test_a_problem_says_where_it_is_what_was_expected_and_what_was_probably_meant(self) -> None:
        problem = only_problem_of("name: bot\nactions:\n  a: {run: '1', aftr: b}\n")
        assert str(problem) == (
            "bot.yaml:3:17: action 'a': unknown key 'aftr'; expected run, action, config, after, then."
            " Did you mean `after`?"
        )

    @pytest.mark.parametrize(("entry", "column"), [("binanse", 11), ("{id: binanse, type: spot}", 16)])
    def test_an_exchange_that_nobody_knows_suggests_the_closest_one(self, entry: str, column: int) -> None:
        problem = only_problem_of(f"name: bot\nexchange: {entry}\nactions: {{a: '1'}}\n")
        assert (problem.line, problem.column) == (2, column)
        assert str(problem).endswith("Did you mean `binance`?")

    def test_an_unknown_operator_suggests_the_closest_one(self) -> None:
        problem = only_problem_of("name: bot\nexchange: binance\nactions:\n  a: 1 + prise('BTC/USDT')\n")
        assert (problem.line, problem.column) == (4, 10)
        assert "price" in str(problem)

    def test_the_position_inside_a_block_of_several_lines_is_exact(self) -> None:
        text = "name: bot\nactions:\n  a:\n    run: |\n      x = 1\n      x + mxa(1, 2)\n"
        problem = only_problem_of(text)
        assert (problem.line, problem.column) == (6, 11)

    @pytest.mark.parametrize(
        ("text", "line", "said"),
        [
            ("", 1, "empty"),
            ("just text", 1, "expected a mapping"),
            ("name: b", 1, "'actions' is missing"),
            ("actions: {a: '1'}", 1, "'name' is missing"),
            ("name: b\nname: c\nactions: {a: '1'}", 2, "twice"),
            ("name: b\nactions: {}", 2, "at least one"),
            ("name: b\nactions: {a: '1'", 2, "not YAML"),
            ("name: b\nactions: {a b: '1'}", 2, "letters, digits"),
            ("name: b\nactions:\n  a:", 3, "run with a script"),
            ("name: b\nactions: {a: {run: '1', action: apply_configuration}}", 2, "either run"),
            ("name: b\nactions: {a: {action: apply_configuration}}", 2, "config"),
            ("name: b\nactions: {a: '1'}\ntime_frame: 7h", 3, "1m, 3m"),
            ("name: b\nactions: {a: '1'}\nsymbol: btc/usdt", 3, "'BTC/USDT'"),
            ("name: b\nactions: {a: '1'}\nportfolio: {USDT: 5}", 3, "need an exchange"),
            ("name: b\nexchange: binance\nactions: {a: '1'}\nportfolio: {USDT: -5}", 4, "at least 0"),
            ("name: b\nexchange: binance\nactions: {a: '1'}\nportfolio: {USDT: many}", 4, "number"),
            ("name: b\nexchange: binance\nactions: {a: '1'}\ncredentials: secret", 4, "env:BINANCE"),
            ("name: b\nactions: {a: '1'}\nrepeat: {cron: every day}", 3, "five fields"),
            ("name: b\nactions: {a: '1'}\nrepeat: {cron: '* * * * *', timezone: Mars}", 3, "Europe/Paris"),
            ("name: b\nactions: {a: '1'}\nrepeat: {every: 1h, cron: '* * * * *'}", 3, "either every"),
            ("name: b\nactions: {a: '1'}\nrepeat: {every: 0}", 3, "at least 1 s"),
            ("name: b\nactions: {a: '1'}\nrepeat: {every: 1h, until: soon}", 3, "2024-03-01"),
            ("name: b\nactions: {a: {run: '1', then: {restart: x}}}", 2, "no action 'x'"),
            ("name: b\nactions: {a: $b}", 2, "no action 'b'"),
            ("name: b\nactions: {a: {run: '1', after: a}}", 2, "depend on itself"),
            ("name: b\nactions: {a: price('BTC/USDT')}", 2, "needs an exchange"),
            ("name: b\nexchange: binance\ntime_frame: 1h\nactions: {a: 'close[-1]'}", 4, "no symbol"),
            ("name: b\nexchange: binance\nsymbol: BTC/USDT\nactions: {a: 'close[-1]'}", 4, "no time frame"),
        ],
    )
    def test_each_mistake_has_one_clear_message(self, text: str, line: int, said: str) -> None:
        problem = only_problem_of(text)
        assert said in str(problem)
        assert problem.line == line

    def test_a_cycle_names_its_path_once(self) -> None:
        text = """\
name: bot
actions:
  first: "1"
  a: {run: "1", after: c}
  b: {run: "$a", after: first}
  c: {run: "1", after: b}
"""
        problem = only_problem_of(text)
        assert problem.line == 4
        assert "a before b before c before a" in problem.message

    def test_credentials_exclude_a_paper_portfolio_and_a_recorded_market(self) -> None:
        text = """\
name: bot
exchange: {id: binance, recorded: market}
credentials: env:BINANCE
portfolio: {USDT: 1000}
actions: {a: "1"}
"""
        assert [problem.line for problem in problems_of(text)] == [2, 4]

    def test_nested_aliases_cannot_exhaust_the_memory(self) -> None:
        lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
        assert "values" in str(only_problem_of("\n".join(lines)))

    @pytest.mark.parametrize(
        "text", ["[" * 5000, "{a: " * 5000, "&a [*a]", "\x00", "a: !!python/object:os.x 1", "?"]
    )
    def test_hostile_text_is_a_problem_like_any_other(self, text: str) -> None:
        assert problems_of(text)


class TestSchema:
    def test_the_schema_lists_the_keys_of_a_file(self) -> None:
        schema = automation_json_schema()
        assert set(schema["properties"]) >= {"name", "exchange", "actions", "repeat", "portfolio"}
        assert schema["additionalProperties"] is False

    def test_the_schema_accepts_the_short_forms(self) -> None:
        exchange = automation_json_schema()["properties"]["exchange"]
        assert {"type": "string"} in exchange["anyOf"]
