"""The benchmark web-api: see `tests.scenarios.web_api`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.web_api import KEYS, MISSING, Findings, examine

__all__ = ["run"]


def run(examples: int = 60) -> Result:
    """Examine the whole document with a key of all scopes, and of each scope alone."""
    bar = "0 failures, 0 answers of 5xx"
    if MISSING:
        return Result(name="web-api", figures=MISSING, bar=bar, passed=False)
    root = Path(tempfile.mkdtemp(prefix="auria-web-api-"))
    try:
        found = [examine(root / "-".join(scopes), scopes, examples=examples) for scopes in KEYS]
    finally:
        shutil.rmtree(root, ignore_errors=True)
    total = sum(found[1:], start=found[0])
    for failure in total.failures:
        print(f"  {failure}")
    figures = (
        f"{total.requests:,} requests to {total.operations} operations with {len(KEYS)} keys:"
        f" {len(total.failures)} failures, {total.server_errors} answers of 5xx ({_told(total)})"
    )
    return Result(name="web-api", figures=figures, bar=bar, passed=not total.failures and not total.server_errors)


def _told(found: Findings) -> str:
    return ", ".join(f"{status}: {count}" for status, count in sorted(found.statuses.items()))
