"""The benchmark publish-postgres: see `tests.scenarios.publish_postgres`."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path

from auria_bot.store.engine import upgrade
from tests.bench import Result
from tests.scenarios.publish_postgres import PROCESSES, _procrastinate, _schema
from tests.scenarios.publishing import at_once, fill, one_picture, postgres, publish_all, tally

__all__ = ["run"]


def run(posts: int = 5000, processes: int = PROCESSES) -> Result:
    """Measure; each post once is checked in the database and by the mutations themselves."""
    root = Path(tempfile.mkdtemp(prefix="auria-publish-"))
    try:
        with postgres() as server:
            url = _schema(server, "auria")
            upgrade(url)
            fill(url, range(1, posts + 1), one_picture(root / "auria"))
            ours = at_once(processes, partial(publish_all, root / "auria", url))
            counted = tally(root / "auria", url)
            theirs, placed = _procrastinate(server, root, url, posts, processes)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    once = counted.clean(posts) and placed == posts
    figures = (
        f"{counted.sent} of {posts} posts sent by {processes} processes, {counted.placed} mutations, {counted.doubled} posts"
        f" doubled, {counted.shown} in the gallery; {posts / ours:.0f} posts/s, procrastinate {posts / theirs:.0f} posts/s"
    )
    return Result(
        name="publish-postgres",
        figures=figures,
        bar="each once; at least as many posts/s as procrastinate 3.10",
        passed=once and ours <= theirs,
    )
