"""Eight publisher processes, one PostgreSQL server, 5,000 due posts to the folder channel.

Beside it, in the same run and on the same server, the same posts as jobs of procrastinate 3.10: eight of its workers call the
same folder channel. Both begin with everything queued, and are timed until the last post is in place and the gallery shows all
of them. The picture is small (216 x 270), so that the queue is measured rather than the disk. What the publisher does
besides, and a job queue does not: it checks each approval's signature and the picture's bytes, and commits before each mutation
that it is about to happen.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, make_url

from tests.scenarios.publishing import CountingFolder, application, at_once

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import URL

__all__ = []

PROCESSES = 8


def _schema(server: URL, name: str) -> str:
    """A schema of its own, which stands for a database."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    engine.dispose()
    return server.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)


def _procrastinate(server: URL, root: Path, source: str, posts: int, processes: int) -> tuple[float, int]:
    """Seconds that procrastinate takes for the same posts, and its mutations."""
    home = root / "procrastinate"
    home.mkdir()
    conninfo = make_url(_schema(server, "procrastinate")).set(drivername="postgresql")
    address = conninfo.render_as_string(hide_password=False)
    app = _app(address, home)
    with app.open():
        app.schema_manager.apply_schema()
        with_posts = application(root / "auria", source)
        jobs = [
            {
                "key": post.key,
                "text": post.text,
                "alt_text": post.alt_text,
                "picture": post.picture,
                "picture_sha256": post.picture_sha256,
            }
            for post in with_posts.publisher.posts()
        ]
        with_posts.close()
        app.tasks["publish"].batch_defer(*jobs[:posts])
    took = at_once(processes, partial(_work, address, home))
    return took, len((home / "mutations.txt").read_text().split())


def _app(address: str, home: Path) -> Any:
    """Procrastinate's app with one task, which publishes to the folder."""
    import procrastinate

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=address))
    channel = CountingFolder(CountingFolder.Config(name="folder"), home=home)

    @app.task(name="publish")
    def publish(**words: Any) -> None:
        channel.publish(_post(words), lambda memo="": None)

    return app


def _post(words: dict[str, Any]) -> Any:
    from auria_bot.domain.post import Post, PostState
    from tests.factories import NOW

    return Post(id=1, draft_id=1, channel="folder", state=PostState.SENDING, due=NOW, signature="", **words)


def _work(address: str, home: Path) -> None:
    """One of its workers: until nothing is left, then the gallery."""
    app = _app(address, home)
    app.run_worker(wait=False, concurrency=1, listen_notify=False, install_signal_handlers=False)
    CountingFolder(CountingFolder.Config(name="folder"), home=home).tidy()
