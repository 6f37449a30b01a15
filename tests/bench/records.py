"""The benchmark records: see `tests.scenarios.records`."""

from __future__ import annotations

from tests.bench import Result
from tests.scenarios.records import LISTINGS, folder, slips

__all__ = ["run"]


def run() -> Result:
    """Read them all."""
    bar = "26 records, 400 titles, 3 listings: every one read, fields and reasons right"
    if not (folder() / "pushshift_sample.ndjson").is_file():
        return Result(name="records", figures=f"not measured: no records in {folder()}", bar=bar, passed=False)
    count, wrong = slips(folder())
    figures = f"{count} records read, {len(wrong)} otherwise than expected" + (
        f": {'; '.join(wrong[:6])}" if wrong else ""
    )
    return Result(
        name="records", figures=figures, bar=bar, passed=not wrong and count == 26 + 400 + sum(LISTINGS.values())
    )
