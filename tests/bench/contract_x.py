"""The benchmark contract-x: see `tests.scenarios.contract_x`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.contract_x import compare, contract_file

__all__ = ["run"]

BAR = "every request and every answer of the stand-in is valid"


def run() -> Result:
    """Compare."""
    contract = contract_file()
    if not contract.is_file():
        return Result(
            name="contract-x", figures=f"no contract at {contract}: set X_API_CONTRACT", bar=BAR, passed=False
        )
    with tempfile.TemporaryDirectory(prefix="auria-contract-") as folder:
        done = compare(Path(folder), contract)
    for wrong in done.wrong:
        print(f"  {wrong}", file=sys.stderr)
    figures = (
        f"{done.requests} requests of {len(done.operations)} operations, answers of {len(done.statuses)} statuses:"
        f" {len(done.wrong)} things wrong"
    )
    return Result(name="contract-x", figures=figures, bar=BAR, passed=not done.wrong and len(done.operations) >= 11)
