"""The benchmark drift: see `tests.scenarios.drift`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.platforms import PLATFORMS
from tests.scenarios.drift import drift, fields

__all__ = ["run"]


def run(most: int | None = None) -> Result:
    """Every change of every field, or about so many of each channel."""
    root = Path(tempfile.mkdtemp(prefix="auria-drift-"))
    words, wrong = [], list[str]()
    for channel in PLATFORMS:
        changes = fields(channel, root)
        done = drift(channel, changes[:: max(1, len(changes) // most) if most else 1], root)
        wrong += done.wrong
        words.append(f"{channel} {done.fields} fields, {done.rounds} changes, {done.unclear} posts unclear")
    for one in wrong:
        print(f"  {one}", file=sys.stderr)
    if not wrong:
        shutil.rmtree(root)
    kinds = {kind: sum(one.startswith(kind) for one in wrong) for kind in ("double", "lost", "crash", "sentence")}
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return Result(
        name="drift",
        figures=f"{'; '.join(words)}: {counts}",
        bar=f"{f'about {most} changes' if most else 'every change'} of each channel: 0 double, 0 lost, 0 crashes; unknown stays unknown; a sentence each",
        passed=not wrong,
    )
