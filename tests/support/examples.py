"""How many examples a property test tries: few by default, many with `make fuzz`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_FACTOR = int(os.environ.get("OCTOFLOW_FUZZ", "1"))


def examples(count: int) -> settings:
    """Return the settings for a property that is tried `count` times, or more when fuzzing."""
    return settings(max_examples=count * _FACTOR, deadline=None, suppress_health_check=[HealthCheck.too_slow])
