"""The benchmark publish-faults: see `tests.scenarios.publish_faults`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.bench import Result
from tests.platforms import PLATFORMS
from tests.scenarios.films import film_file
from tests.scenarios.publish_faults import trials
from tests.scenarios.publishers import Databases, Publishers, Trial
from tests.scenarios.publishing import postgres

__all__ = ["run"]


def run(runs: int = 200) -> Result:
    """Measure: `runs` of every social channel."""
    root = Path(tempfile.mkdtemp(prefix="auria-faults-"))
    done = list[Trial]()
    with Publishers() as publishers, postgres() as server:
        databases, film = Databases(root, server), film_file(root / "film.mp4")
        for channel in PLATFORMS:
            done += trials(channel, runs, root, publishers, databases=databases, film=film)
    bad = [one for one in done if one.faults]
    for one in bad:
        print(
            f"  {one.channel}, {one.database}, {one.scenario} {one.detail} at post {one.post}: {'; '.join(one.faults)}",
            file=sys.stderr,
        )
    if not bad:
        shutil.rmtree(root)
    words = []
    for channel in PLATFORMS:
        states = Counter(state for one in done if one.channel == channel for state in one.states)
        words.append(
            f"{channel} " + ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in states.most_common())
        )
    doubled = sum(fault.startswith("double") for one in bad for fault in one.faults)
    lost = sum(fault.startswith("lost") for one in bad for fault in one.faults)
    elsewhere = sum(one.database == "postgresql" for one in done)
    figures = f"{len(done)} runs of two posts ({elsewhere} on PostgreSQL) with {len({one.scenario for one in done})} kinds of faults: {doubled} double, {lost} lost; {'; '.join(words)}"
    return Result(
        name="publish-faults",
        figures=figures,
        bar=f"{runs} runs a channel: 0 double, 0 lost, every post at an end that is true",
        passed=not bad and len(done) == runs * len(PLATFORMS),
    )
