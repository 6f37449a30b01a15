"""Publisher processes that may be killed, with a home and a database for each run, and what became of their posts.

Not a benchmark itself.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import URL, create_engine, select

from auria_bot.secret_store import SecretStore
from auria_bot.store.engine import connect, upgrade
from auria_bot.store.schema import posts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from tests.platforms import Platform

__all__ = ["Databases", "Publishers", "Trial", "new_home", "seen", "states_of", "told"]

_EVERY = 5  # runs, of which the last is on PostgreSQL


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one run."""

    channel: str
    database: str  # "sqlite" or "postgresql"
    scenario: str
    detail: str  # which field changed, and how
    post: int  # at which of the posts it happened
    states: tuple[str, ...]
    faults: tuple[str, ...]  # double posts, lost posts


class Publishers:
    """Publisher processes, each a fork of one that has imported everything."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.mortal_publisher"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin and self._process.stdout:
            self._process.stdin.close()
            self._process.wait(10)
            self._process.stdout.close()

    def begin(
        self,
        home: Path,
        database: str,
        server: Platform,
        *,
        kill: tuple[str, int] | None = None,
        once: bool = False,
        resume: bool = False,
        withdraw: int | None = None,
    ) -> int:
        """Start one, which first resumes a paused channel, or withdraws a post, if it is told to; its process id."""
        told = {
            "home": str(home),
            "database": database,
            "channel": server.backend,
            "options": server.options(),
            "kill": kill,
            "once": once,
            "resume": resume,
            "withdraw": withdraw,
        }
        if self._process.stdin:
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()
        return int(self._read()["pid"])

    def end(self) -> tuple[int, str]:
        """Wait for it; the signal that ended it, or 0, and what it said."""
        answer = self._read()
        return answer["signal"], answer["said"].strip()

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("the mortal publisher is gone; its words stand above")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Databases:
    """A database for each run, up to date: a copy of SQLite's file, or of a database on a PostgreSQL server."""

    def __init__(self, root: Path, server: URL | None = None) -> None:
        """Make what is copied: under `root` for SQLite, on `server`, if given, for every fifth run."""
        self._file, self._server = root / "template.db", server
        upgrade(f"sqlite:///{self._file}")
        if server is not None:
            self._do("CREATE DATABASE template_of_runs")
            upgrade(server.set(database="template_of_runs"))

    @contextlib.contextmanager
    def one(self, home: Path, number: int) -> Iterator[str]:
        """The URL of a run's own database."""
        if self._server is None or number % _EVERY != _EVERY - 1:
            shutil.copyfile(self._file, home / "auria.db")
            yield f"sqlite:///{home / 'auria.db'}"
            return
        name = home.name.replace("-", "_")
        self._do(f"CREATE DATABASE {name} TEMPLATE template_of_runs")
        yield self._server.set(database=name).render_as_string(hide_password=False)
        self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def _do(self, statement: str) -> None:
        engine = create_engine(self._server or "", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()


def new_home(root: Path, number: int, server: Platform) -> Path:
    """A home with the platform's credentials."""
    home = root / f"{server.backend}-{number}"
    home.mkdir()
    vault = SecretStore(home, server.backend, environment={})
    for name, value in server.secrets().items():
        vault.store(name, value)
    return home


def seen(server: Platform, line: str) -> int:
    """How often followers see a post, known by its first line."""
    return len(_of(server, line))


def _of(server: Platform, line: str) -> list[dict[str, Any]]:
    return [one for one in server.visible() if one["text"].split("\n", maxsplit=1)[0].strip() == line]


def states_of(database: str) -> list[str]:
    """The posts' states, in their order."""
    engine = connect(database)
    with engine.begin() as connection:
        found = list(connection.scalars(select(posts.c.state).order_by(posts.c.id)))
    engine.dispose()
    return found


def told(
    server: Platform,
    states: list[str],
    lines: list[str],
    said: str,
    *,
    withdrawn: str = "",
    films: Collection[str] = (),
) -> Iterator[str]:
    """Double and lost posts; a post that was to be withdrawn may be gone, and must be where it is called so.

    Args:
        server: where posts are seen.
        states, lines: the posts' states and first lines.
        said: by the publisher.
        withdrawn: the first line of the post that was to be withdrawn.
        films: the first lines of those that are films.
    """
    for state, line in zip(states, lines, strict=True):
        count = seen(server, line)
        if count and line in films and not all(one["film"] for one in _of(server, line)):
            yield f"lost: the film of {line!r}"
        if count > 1:
            yield f"double: {line!r} is seen {count} times"
        if state == "sent" and not count:
            yield f"lost: {line!r} is called sent and not seen"
        if state in {"withdrawn", "cancelled"} and (count or line != withdrawn):
            yield f"lost: {line!r} is called {state} and seen {count} times"
        if state not in {"sent", "needs_attention", "withdrawn", "cancelled"}:
            yield f"lost: {line!r} is {state}: {said[-300:]}"
