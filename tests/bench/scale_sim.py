"""The benchmark scale-sim: see `tests.scenarios.scale_sim`. SCALE_ACCOUNTS and SCALE_DAYS make it smaller."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.publishing import postgres
from tests.scenarios.scale_sim import p99, simulate

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
    claims = [took.wall for took in done.claims]
    claim, look = p99(claims), p99(took.wall for took in done.looks)
    own, own_look = p99(took.processor for took in done.claims), p99(took.processor for took in done.looks)
    figures = (
        f"{accounts:,} accounts, {days} days, PostgreSQL: {done.posts:,} posts, {len(done.wrong)} slots wrong;"
        f" p99 of a claim {claim * 1000:.1f} ms (median {statistics.median(claims) * 1000:.1f}; processor {own * 1000:.1f}),"
        f" of a look over all accounts {look * 1000:.0f} ms (processor {own_look * 1000:.0f});"
        f" {done.bytes / max(1, done.posts) / 1000:.1f} kB a post; {done.seconds:.0f} s"
    )
    is_whole = accounts >= 1000 and days >= 365
    passed = not done.wrong and done.posts == accounts * days and claim < _LONGEST
    bar = BAR if is_whole else f"{BAR} (this is a smaller one)"
    return Result(name="scale-sim", figures=figures, bar=bar, passed=passed)
