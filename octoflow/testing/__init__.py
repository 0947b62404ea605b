"""What tests of operators and automations need: a market in memory, paper, and time that passes at once.

```python
from octoflow.testing import NOW, MemoryMarket, evaluate, run_script

assert evaluate("drawdown(100, 75)", SET) == 0.25

market = MemoryMarket({"BTC/USDT": 50_000})
ran = run_script("market('buy', 'BTC/USDT', '50%')", SET, market=market, holdings={"USDT": 1000})
assert ran.holdings["USDT"] == 500
```

Works with any test framework, and without a server, a network or files.
"""

from octoflow.testing.automations import AutomationUnderTest
from octoflow.testing.memory_market import NOW, MemoryMarket
from octoflow.testing.scripts import Ran, evaluate, registry_with, run_script

__all__ = ["NOW", "AutomationUnderTest", "MemoryMarket", "Ran", "evaluate", "registry_with", "run_script"]
