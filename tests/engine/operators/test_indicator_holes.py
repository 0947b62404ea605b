"""Every indicator where values are missing, nothing is traded or nothing moves: null, or the right number.

The tests go over all operators of the set, so that an indicator that is added is among them by itself.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dsl import OperatorDefinition
from engine.operators.examined import Examined
from engine.operators.indicators import SET
from tests.engine.operators.definitions import DEFINITIONS

LENGTH: Final = 60
COLUMNS: Final = ("data", "other", "high", "low", "close", "volume")
INDICATORS: Final = SET.operators

Columns = Mapping[str, list[float]]
Outputs = dict[str, list[float]]


def market(seed: int, length: int = LENGTH) -> dict[str, list[float]]:
    """A walk of prices that never stands still, with what belongs to it."""
    draw = random.Random(seed)
    close = [100.0]
    while len(close) < length:
        close.append(close[-1] * draw.choice([0.97, 0.99, 1.01, 1.04]))
    spread = [draw.uniform(0.1, 2) for _ in close]
    return {
        "data": close,
        "other": [price + draw.uniform(-1, 1) for price in close],
        "close": close,
        "high": [price + one for price, one in zip(close, spread, strict=True)],
        "low": [price - one for price, one in zip(close, spread, strict=True)],
        "volume": [draw.uniform(1, 1e6) for _ in close],
    }


def numbers_for(indicator: OperatorDefinition) -> dict[str, int]:
    """A period for each parameter that is none of the columns: small, and growing."""
    names = [parameter.name for parameter in indicator.parameters if parameter.name not in COLUMNS]
    return {name: period for period, name in enumerate(names, 2)}


def outputs(name: str, columns: Columns, **numbers: int) -> Outputs:
    """Everything that an indicator says of some columns, aligned to their newest value, NaN in front."""
    indicator = INDICATORS[name]
    given_ = {
        parameter.name: np.array(columns[parameter.name])
        for parameter in indicator.parameters
        if parameter.name in COLUMNS
    }
    length = len(columns["data"])
    answer = indicator.function(**given_, **(numbers or numbers_for(indicator)))
    return aligned(answer, length)


def aligned(answer: Any, length: int) -> Outputs:
    parts = answer if isinstance(answer, dict) else {"": [float(answer)] if np.ndim(answer) == 0 else answer}
    return {part: [math.nan] * (length - len(column)) + list(column) for part, column in parts.items()}


def same(one: float, other: float) -> bool:
    return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6)


def with_value(columns: Columns, names: tuple[str, ...], places: range, value: float | None) -> Columns:
    """The columns with a value at some places; None repeats the value at the first of them."""
    changed = {name: list(column) for name, column in columns.items()}
    for name in names:
        for place in places:
            changed[name][place] = changed[name][places.start] if value is None else value
    return changed


def test_every_indicator_has_a_definition() -> None:
    assert set(INDICATORS) == set(DEFINITIONS)


@pytest.mark.parametrize("hole", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_what_a_missing_value_touches_is_null_and_the_rest_is_what_it_would_be(
    name: str, hole: float
) -> None:
    columns = market(1)
    clean = outputs(name, columns)
    for place in range(LENGTH):
        behind = {key: column[place + 1 :] for key, column in columns.items()}
        for column in COLUMNS if hole == hole else ("data", "close", "volume"):
            if column not in {parameter.name for parameter in INDICATORS[name].parameters}:
                continue
            found = outputs(name, with_value(columns, (column,), range(place, place + 1), hole))
            try:
                alone = outputs(name, behind)
            except Exception:  # too few values: there is nothing to compare with
                alone = {}
            for part, values in found.items():
                if len(clean[part]) != LENGTH or name.startswith("cross"):
                    continue
                assert all(map(same, values[:place], clean[part][:place])), (column, place)
                assert math.isnan(values[place]), (column, place)
                lone = [math.nan] * (LENGTH - len(alone.get(part, []))) + alone.get(part, [])
                for index in range(place + 1, LENGTH):
                    value = values[index]
                    assert math.isnan(value) or same(value, clean[part][index]) or same(value, lone[index])
                if place < LENGTH - 30:
                    assert not math.isnan(values[-1]), (column, place)


@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_no_value_comes_out_of_nothing_traded_or_nothing_moved(name: str) -> None:
    """Flat and zero runs of every length, alone, behind moves, and behind huge values."""
    numbers = numbers_for(INDICATORS[name])
    for start in range(0, LENGTH, 3):
        for length in (1, 2, 3, 5, 9, 30):
            places = range(start, min(start + length, LENGTH))
            for spike in (None, 1e17):
                columns: Mapping[str, list[float]] = market(start)
                columns = with_value(columns, ("volume",), places, 0.0)
                if spike and start:
                    columns = with_value(columns, ("volume",), range(start - 1, start), spike)
                check_against_definition(name, columns, numbers)
                columns = with_value(columns, ("high", "low", "close", "data"), places, None)
                for column in ("high", "low", "data"):
                    columns[column][places.start : places.stop] = columns["close"][places.start : places.stop]
                check_against_definition(name, columns, numbers)


def test_strength_of_a_price_that_stands_still_for_long_is_null() -> None:
    for scale in (1.0, 1e-9, 1e12):
        data = [scale * price for price in (5, 6, 5.5, *[5.7] * 300)]
        assert all(map(math.isnan, outputs("rsi", {"data": data}, period=2)[""][5:]))


def test_strength_of_tiny_prices_is_that_of_large_ones() -> None:
    columns = market(3)
    large = outputs("rsi", columns, period=14)[""]
    tiny = outputs("rsi", {"data": [price * 2.0**-60 for price in columns["data"]]}, period=14)[""]
    assert all(map(same, large, tiny))


def test_averages_forget_what_is_no_longer_in_their_window() -> None:
    columns = {"data": [1e17, *[1.0] * 20], "volume": [1e17, 1.0, *[0.0] * 19]}
    assert outputs("ma", columns, period=2)[""][2:] == [1.0] * 19
    assert outputs("stddev", columns, period=2)[""][2:] == [0.0] * 19
    assert all(map(math.isnan, outputs("vwma", columns, period=2)[""][3:]))


def test_a_column_that_was_sound_is_forgotten_with_it_and_one_that_can_change_is_never_remembered() -> None:
    examined = Examined()
    column, changing = np.ones(3), np.ones(3)
    column.flags.writeable = False
    examined.add(column, 2)
    examined.add(changing, 2)
    assert examined.knows(column, 2)
    assert not examined.knows(column, 3)
    assert not examined.knows(changing, 2)
    del column
    assert not examined._columns


def check_against_definition(name: str, columns: Columns, numbers: Mapping[str, int]) -> None:
    names = [parameter.name for parameter in INDICATORS[name].parameters]
    arguments = [columns[one] if one in COLUMNS else numbers[one] for one in names]
    expected = aligned(DEFINITIONS[name](*arguments), len(columns["data"]))
    found = outputs(name, columns, **numbers)
    assert found.keys() == expected.keys()
    for part, values in found.items():
        for index, (value, wanted) in enumerate(zip(values, expected[part], strict=True)):
            assert same(value, wanted), (name, part, index, value, wanted, arguments)


VALUES: Final = st.one_of(
    st.floats(min_value=0.01, max_value=1e6),
    st.sampled_from([1.0, 2.0, 2.0, 3.0, math.nan, math.inf]),
)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), rows=st.lists(st.tuples(VALUES, VALUES, VALUES, VALUES), min_size=12, max_size=40))
@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_every_indicator_follows_its_definition(name: str, rows: list[Any], data: st.DataObject) -> None:
    closes, others, spreads, volumes = (list(column) for column in zip(*rows, strict=True))
    columns = {
        "data": closes,
        "close": closes,
        "other": others,
        "high": [a + b for a, b in zip(closes, spreads, strict=True)],
        "low": [a - b for a, b in zip(closes, spreads, strict=True)],
        "volume": data.draw(st.one_of(st.just(volumes), st.just([0.0 if v < 10 else v for v in volumes]))),
    }
    numbers: dict[str, int] = {}
    for number in numbers_for(INDICATORS[name]):
        numbers[number] = data.draw(st.integers(min_value=numbers.get("short", 1), max_value=4), label=number)
    check_against_definition(name, columns, numbers)
