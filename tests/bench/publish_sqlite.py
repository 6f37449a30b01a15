"""The benchmark publish-sqlite: see `tests.scenarios.publish_sqlite`."""

from __future__ import annotations

from tests.bench import Result
from tests.scenarios.publish_sqlite import measured

__all__ = ["run"]


def run(posts: int = 5000, processes: int = 4) -> Result:
    """Publish so many posts at once."""
    figures, passed = measured(posts, processes)
    return Result(name="publish-sqlite", figures=figures, bar='each once, no "database is locked"', passed=passed)
