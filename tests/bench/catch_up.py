"""The benchmark catch-up: see `tests.scenarios.catch_up`."""

from __future__ import annotations

from tests.bench import Result
from tests.scenarios.catch_up import measured

__all__ = ["run"]


def run() -> Result:
    """Let three days pass with each policy."""
    figures, passed = measured()
    return Result(name="catch-up", figures=figures, bar="1, 0, 0 then 1", passed=passed)
