"""The documentation names everything that a user can meet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic_settings import BaseSettings
from typer.main import get_group

from cli.main import app
from connection import Settings
from engine.automation_file.compile import load_automation
from engine.automation_file.schema import AutomationFile
from engine.job.outcome import InvocationOutcome
from engine.state import AutomationState, Fee, Order, Position, Trade, Transaction
from tests.conftest import REPOSITORY
from worker import WorkerSettings


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def fields_of(root: type[BaseModel]) -> set[str]:
    """The names of all fields of a model and of the models in it."""
    seen: set[type[BaseModel]] = set()
    pending = [root]
    while pending:
        model = pending.pop()
        seen.add(model)
        inside = [found for field in model.model_fields.values() for found in models_in(field.annotation)]
        pending += [found for found in inside if found not in seen]
    return {name for model in seen for name in model.model_fields}


def words_in_code(page: str) -> set[str]:
    text = (REPOSITORY / "docs" / page).read_text()
    code = re.findall(r"```.*?```|`[^`]+`", text, re.DOTALL)
    return {word for part in code for form in (r"\w+", r"\w+-\w+") for word in re.findall(form, part)}


@pytest.mark.parametrize(
    ("model", "page"),
    [
        (AutomationState, "state.md"),
        (InvocationOutcome, "state.md"),
        (AutomationFile, "automation-file.md"),
    ],
)
def test_every_field_is_described(model: type[BaseModel], page: str) -> None:
    assert fields_of(model) <= words_in_code(page), fields_of(model) - words_in_code(page)


@pytest.mark.parametrize("model", [Order, Fee, Trade, Position, Transaction])
def test_the_tables_of_account_elements_are_those_of_the_models(model: type[BaseModel]) -> None:
    text = (REPOSITORY / "docs" / "state.md").read_text()
    section = text.partition(f"### {model.__name__}\n")[2].partition("\n#")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(model.model_fields)


def commands(group: Any = None, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every command of the command line, by the words that it is called with."""
    for name, command in (group or get_group(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def test_every_command_is_described() -> None:
    assert {word for path, _ in commands() for word in path.split()} <= words_in_code("cli.md")


def test_every_option_of_a_command_is_described() -> None:
    options = {name for _, verb in commands() for parameter in verb.params for name in parameter.opts}
    described = set(re.findall(r"--[a-z-]+", (REPOSITORY / "docs" / "cli.md").read_text()))
    assert {name for name in options if name.startswith("--")} <= described


@pytest.mark.parametrize("kind", [Settings, WorkerSettings])
def test_every_variable_of_the_environment_is_described(kind: type[BaseSettings]) -> None:
    text = (REPOSITORY / "docs" / "cli.md").read_text()
    whole = {f"{kind.model_config['env_prefix']}{name.upper()}" for name in kind.model_fields}
    assert [name for name in sorted(whole) if name not in text] == []


@pytest.mark.parametrize(
    "page",
    [str(page.relative_to(REPOSITORY)) for glob in ("*.md", "docs/*.md") for page in REPOSITORY.glob(glob)],
)
def test_no_link_leads_nowhere(page: str) -> None:
    file = REPOSITORY / page
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", file.read_text())
    assert [target for target in targets if not (file.parent / target).exists()] == []


@pytest.mark.parametrize("page", ["docs/architecture.md", "tests/README.md"])
def test_every_module_that_is_named_is_there(page: str) -> None:
    named = re.findall(r"`((?:\w+/)+\w+\.py)`", (REPOSITORY / page).read_text())
    assert named
    assert [path for path in named if not (REPOSITORY / path).exists()] == []


def automations_in(page: str) -> list[str]:
    text = (REPOSITORY / page).read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    return [block for block in blocks if block.startswith("name:")]


@pytest.mark.parametrize("page", ["README.md", "docs/getting-started.md"])
def test_the_automations_that_are_shown_can_be_run(page: str) -> None:
    shown = automations_in(page)
    assert shown
    for text in shown:
        load_automation(text, source_name=page)
