"""Four publishers, one SQLite file, 5,000 due posts to the folder channel: each sent once, none locked out."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path

from sqlalchemy import URL

from auria_bot.store.engine import upgrade
from tests.scenarios.publishing import at_once, fill, one_picture, publish_all, tally

__all__ = ["measured"]


def measured(posts: int, processes: int) -> tuple[str, bool]:
    """Publish so many posts by several processes; the figures, and whether each was sent once without a locked database.

    A process that is told "database is locked" fails, and this with it.
    """
    root = Path(tempfile.mkdtemp(prefix="auria-publish-"))
    try:
        url = URL.create("sqlite", database=str(root / "auria.db")).render_as_string()
        upgrade(url)
        fill(url, range(1, posts + 1), one_picture(root))
        took = at_once(processes, partial(publish_all, root, url))
        counted = tally(root, url)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    figures = (
        f"{counted.sent} of {posts} posts sent by {processes} processes, {counted.placed} mutations, {counted.doubled} posts"
        f" doubled, {counted.shown} in the gallery, nobody locked out; {posts / took:.0f} posts/s"
    )
    return figures, counted.clean(posts)
