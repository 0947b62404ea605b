"""The engine alone: load, run and dump of automations without an exchange, and its import."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator

from benchmarks.figures import Figure, median_ms
from engine import AutomationJob, InvocationRequest

State = dict[str, object]

# The peak of `getrusage` would be that of the process that forked, if that was larger.
_IMPORT = """
import json, pathlib, re, sys, time
start = time.perf_counter()
import engine
seconds = time.perf_counter() - start
status = pathlib.Path("/proc/self/status").read_text()
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024
heavy = ("aiohttp", "ccxt", "cryptography", "keyring", "numpy", "talib")
print(json.dumps([seconds, peak, [module for module in heavy if module in sys.modules]]))
"""


def independent(count: int) -> State:
    """A state of `count` actions that do not know each other."""
    return _state([{"id": f"a{n}", "dsl_script": "1 + 2 * 3"} for n in range(count)])


def chain(count: int) -> State:
    """A state of `count` actions, each of which needs the value of the one before."""
    actions = [{"id": "a0", "dsl_script": "1"}]
    actions += [{"id": f"a{n}", "dsl_script": f"$a{n - 1} + 1"} for n in range(1, count)]
    return _state(actions)


def _state(actions: list[dict[str, str]]) -> State:
    metadata = {"automation_id": "bench", "seed": "bench"}
    return {"schema_version": 1, "automation": {"metadata": metadata, "actions_dag": {"actions": actions}}}


async def _invoke(state: State) -> None:
    # The state travels as JSON text, as it does between two invocations.
    text = json.dumps(state)
    job = AutomationJob(InvocationRequest(state=json.loads(text), now=1_700_000_000))
    await job.run()
    json.dumps(job.dump())


async def engine_figures() -> AsyncIterator[Figure]:
    """Load + run + dump, median of many."""
    single = await median_ms(lambda: _invoke(independent(1)), repeat=200)
    yield Figure(name="engine, 1 action", value=single, unit="ms", at_most=0.5)
    thousand = await median_ms(lambda: _invoke(independent(1_000)), repeat=15)
    yield Figure(name="engine, 1,000 independent actions", value=thousand, unit="ms", at_most=40)
    ten_thousand = await median_ms(lambda: _invoke(independent(10_000)), repeat=5)
    yield Figure(
        name="engine, 10,000 independent actions",
        value=ten_thousand / thousand,
        unit="x",
        at_most=12,
        peer="1,000 actions",
    )
    chained = await median_ms(lambda: _invoke(chain(1_000)), repeat=15)
    yield Figure(name="engine, chain of 1,000 in one invocation", value=chained, unit="ms", at_most=80)


def import_figures() -> list[Figure]:
    """What `import engine` costs a fresh interpreter; best of five."""
    runs = [_fresh_import() for _ in range(5)]
    heavy = sorted({module for _, _, modules in runs for module in modules})
    return [
        Figure(name="import engine", value=min(seconds for seconds, _, _ in runs), unit="s", at_most=0.5),
        Figure(
            name="import engine, peak memory", value=min(peak for _, peak, _ in runs), unit="MB", at_most=70
        ),
        Figure(name="import engine, heavy modules loaded", value=len(heavy), unit="modules", at_most=0),
    ]


def _fresh_import() -> tuple[float, float, list[str]]:
    done = subprocess.run([sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True)
    seconds, peak, modules = json.loads(done.stdout)
    return seconds, peak, modules
