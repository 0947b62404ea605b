"""The form of an automation file: what a user may write, and the JSON Schema that editors check it with."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from engine.cron import parse_cron, time_zone
from engine.state import APPLY_CONFIGURATION
from engine.timing import LEAST_INTERVAL, Speed, parse_duration, parse_moment
from engine.types import TIME_FRAMES

_CODE: Final = r"[^\s/:,'\"\x00-\x1f\ud800-\udfff]+"
_SYMBOL: Final = re.compile(rf"{_CODE}/{_CODE}(:{_CODE})?")
"""A market as its exchange spells it, not always in Latin capitals: `币安人生/USDT`, `kPEPE/USDC:USDC`."""


def _symbol(value: object) -> str:
    if not isinstance(value, str) or not _SYMBOL.fullmatch(value):
        raise ValueError(f"{value!r} is not a symbol; expected the form BTC/USDT")
    if value.isascii() and value == value.lower() != value.upper():
        raise ValueError(
            f"{value!r} is not a symbol; expected the form BTC/USDT; did you mean {value.upper()!r}?"
        )
    return value


def _time_frame(value: object) -> str:
    if value in TIME_FRAMES:
        return str(value)
    raise ValueError(f"{value!r} is not a time frame; expected one of {', '.join(TIME_FRAMES)}")


def _timezone(value: object) -> str:
    return str(time_zone(value))


def _cron(value: object) -> str:
    parse_cron(value)
    return str(value)


def _interval(value: object) -> float:
    return parse_duration(value, least=LEAST_INTERVAL)


def _credentials(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_-]*:.+", value):
        return value
    raise ValueError(
        "expected a reference such as env:BINANCE or file:~/keys.toml#BINANCE; keys do not belong in a file"
    )


def _under(key: str) -> Callable[[object], object]:
    """Return a validator that reads a plain value as the mapping `{key: value}`."""

    def wrap(value: object) -> object:
        return value if isinstance(value, dict) else {key: value}

    return wrap


def _exchange(value: object) -> object:
    """`none` and a missing value both mean: no exchange."""
    return None if value in (None, "none") else _under("id")(value)


def _script(value: object) -> object:
    """A script that YAML reads as a number or a boolean is still a script."""
    return str(value) if isinstance(value, bool | int | float) else value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Duration = Annotated[float, PlainValidator(_interval, json_schema_input_type=float | str)]
"""Seconds, written as a number or a text such as `4h`; at least one, at most a hundred years."""

MomentText = Annotated[float, PlainValidator(parse_moment, json_schema_input_type=float | str)]
"""UNIX seconds, written as a number or an ISO 8601 text."""

SymbolName = Annotated[str, PlainValidator(_symbol, json_schema_input_type=str)]
TimeFrameName = Annotated[
    str, PlainValidator(_time_frame, json_schema_input_type=Literal[tuple(TIME_FRAMES)])
]
ScriptText = Annotated[
    str, BeforeValidator(_script, json_schema_input_type=str | float | bool), Field(min_length=1)
]


class FileModel(BaseModel):
    """A part of an automation file: a typo is an error, never silently ignored."""

    # Building the validators takes 40 ms, which a worker that reads no file should not spend.
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class RecordedEntry(FileModel):
    """A recorded market instead of the exchange's public one."""

    folder: str = Field(min_length=1, description="Folder of the recording, relative to the file.")
    start: MomentText | None = Field(
        default=None, description="Market time to start at; the earliest possible one if left out."
    )
    speed: Annotated[Speed, Field(strict=False)] = Field(
        default=1, description="Market seconds per real second."
    )


class ExchangeEntry(FileModel):
    """The exchange account. Without `credentials` in the file it is a simulated one."""

    id: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$", description="The exchange's id in ccxt: binance, kraken, okx, …"
    )
    type: Literal["spot", "future"] = "spot"
    sandboxed: bool = Field(default=False, description="Use the exchange's test network.")
    url: str | None = Field(default=None, description="Another address of the exchange's API.")
    recorded: Annotated[
        RecordedEntry | None,
        BeforeValidator(_under("folder"), json_schema_input_type=str | RecordedEntry),
    ] = None


class RepeatEntry(FileModel):
    """Repetition of all actions, counted from the first run; ticks that were missed count as one."""

    every: Duration | None = Field(
        default=None, description="Time between two rounds: seconds, or 4h, 1d12h, …"
    )
    cron: Annotated[str, PlainValidator(_cron, json_schema_input_type=str)] | None = None
    timezone: Annotated[str, PlainValidator(_timezone, json_schema_input_type=str)] | None = None
    max: int | None = Field(default=None, ge=1, description="Rounds at most, the first one included.")
    until: MomentText | None = Field(default=None, description="No repetition after this moment.")

    @model_validator(mode="after")
    def _has_one_rhythm(self) -> Self:
        if (self.every is None) == (self.cron is None):
            raise ValueError("expected either every (such as 4h) or cron (such as '0 9 * * 1-5')")
        if self.timezone is not None and self.cron is None:
            raise ValueError("timezone belongs to cron; every counts from the first run")
        return self


class RestartEntry(FileModel):
    """What happens when the action has completed without error."""

    restart: str = Field(description="The action to run again, with everything that depends on it.")
    after: Duration | None = Field(default=None, description="How long to wait before it.")


class ActionEntry(FileModel):
    """One action: a script in `run`, or a configured step in `action`."""

    run: ScriptText | None = Field(default=None, description="An expression of Octoflow's language.")
    action: Literal["apply_configuration"] | None = None
    config: dict[str, Any] | None = Field(default=None, description="The partial state that is applied.")
    after: Annotated[list[str], BeforeValidator(_as_list, json_schema_input_type=str | list[str])] = Field(
        default_factory=list, description="Actions that have to be completed before."
    )
    then: RestartEntry | None = None

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.run is None) == (self.action is None):
            raise ValueError(f"expected either run with a script or action: {APPLY_CONFIGURATION}")
        if (self.action is None) != (self.config is None):
            raise ValueError(f"config belongs to action: {APPLY_CONFIGURATION}, and both are needed")
        return self


ActionName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class AutomationFile(FileModel):
    """An automation as a user writes it."""

    name: str = Field(min_length=1, max_length=200)
    id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$",
        description="Under which the automation runs; made from the name if left out.",
    )
    exchange: Annotated[
        ExchangeEntry | None,
        BeforeValidator(_exchange, json_schema_input_type=str | ExchangeEntry | None),
    ] = None
    credentials: Annotated[str, PlainValidator(_credentials, json_schema_input_type=str)] | None = None
    symbol: SymbolName | None = Field(default=None, description="Used where a script names none.")
    time_frame: TimeFrameName | None = Field(default=None, description="Used where a script names none.")
    portfolio: dict[str, Annotated[Decimal, Field(ge=0, strict=False, allow_inf_nan=False)]] | None = Field(
        default=None, description="What a simulated account starts with."
    )
    repeat: RepeatEntry | None = None
    approval: Literal["none", "required"] = "none"
    seed: str | None = Field(default=None, description="Makes two paper runs equal.")
    actions: dict[
        ActionName,
        Annotated[
            ActionEntry, BeforeValidator(_under("run"), json_schema_input_type=ScriptText | ActionEntry)
        ],
    ] = Field(min_length=1)


FORMS: Final[MappingProxyType[tuple[str, ...], type[FileModel]]] = MappingProxyType(
    {
        (): AutomationFile,
        ("exchange",): ExchangeEntry,
        ("exchange", "recorded"): RecordedEntry,
        ("repeat",): RepeatEntry,
        ("actions", "*"): ActionEntry,
        ("actions", "*", "then"): RestartEntry,
    }
)
"""Which form stands where in a file; `*` is an action's id."""


def automation_json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of automation files."""
    schema = AutomationFile.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Octoflow automation",
    }
