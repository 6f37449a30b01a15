"""The benchmark scale-sim: see `tests.scenarios.scale_sim`. SCALE_ACCOUNTS and SCALE_DAYS make it smaller."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.publishing import postgres
from tests.scenarios.scale_sim import simulate

__all__ = ["run"]

BAR = "1,000 accounts, 365 days: every slot once, p99 of a claim under 20 ms"
_LONGEST = 0.020  # seconds


def run() -> Result:
    """Simulate."""
    accounts, days = int(os.environ.get("SCALE_ACCOUNTS", "1000")), int(os.environ.get("SCALE_DAYS", "365"))
    with tempfile.TemporaryDirectory(prefix="auria-scale-") as folder, postgres() as server:
        url = server.render_as_string(hide_password=False)
        done = simulate(url, Path(folder), accounts=accounts, days=days)
    for wrong in done.wrong[:20]:
        print(f"  {wrong}", file=sys.stderr)
    claim, look = done.p99(done.claims) * 1000, done.p99(done.looks) * 1000
    figures = (
        f"{accounts:,} accounts, {days} days, PostgreSQL: {done.posts:,} posts, {len(done.wrong)} slots wrong;"
        f" p99 of a claim {claim:.1f} ms (median {statistics.median(done.claims) * 1000:.1f}), of a look over all accounts {look:.0f} ms;"
        f" {done.bytes / max(1, done.posts) / 1000:.1f} kB a post; {done.seconds:.0f} s"
    )
    is_whole = accounts >= 1000 and days >= 365
    passed = not done.wrong and done.posts == accounts * days and done.p99(done.claims) < _LONGEST
    bar = BAR if is_whole else f"{BAR} (this is a smaller one)"
    return Result(name="scale-sim", figures=figures, bar=bar, passed=passed)
