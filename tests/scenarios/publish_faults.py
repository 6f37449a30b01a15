"""Publishers killed, or cut off from their platform, at every boundary; each then followed by one that lives.

For each social channel, before its platform on this machine, so many seeded runs. A run has two due posts. Its seed draws the
boundary, and at which of the posts: SIGKILL before the claim, after it, after the upload, right before the mutation, after it
(before its commit), after the commit, and while the platform's answer is on its way; or the platform fails at the mutation
(before acting, after acting, within its answer, in silence, with garbage, with an error of the server). Then publishers run until
every post is at its end. What counts is what followers see on the platform: a post seen twice is a double post, a post that
is called sent and not seen, or never comes to an end, is lost. Every fifth run keeps its posts in a database of PostgreSQL, the
others in SQLite.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import URL, create_engine, select

from auria_bot.secret_store import SecretStore
from auria_bot.store.engine import connect, upgrade
from auria_bot.store.schema import posts
from tests.platforms import FAULTS, Platform, platform
from tests.scenarios.mortal_publisher import BOUNDARIES
from tests.scenarios.publishing import fill, own_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["CUTS", "SCENARIOS", "Databases", "Publishers", "Trial", "trials"]

SEED = 20261121
CUTS = tuple(fault for fault in FAULTS if fault not in {"401", "403", "429"})
"""How the platform fails at a mutation; refusals are no faults of the line."""

SCENARIOS = (*BOUNDARIES, "in-flight", *CUTS)
"""Kills, then cuts."""

_FRESH = 20  # runs before a platform is started anew, so that its history stays short
_EVERY = 5  # runs, of which the last is on PostgreSQL
_PATIENCE = 120.0  # seconds for a mutation to become visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one run."""

    channel: str
    database: str  # "sqlite" or "postgresql"
    scenario: str
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
        self, home: Path, database: str, server: Platform, *, kill: tuple[str, int] | None = None, once: bool = False
    ) -> int:
        """Start one; its process id."""
        told = {
            "home": str(home),
            "database": database,
            "channel": server.backend,
            "options": server.options(),
            "kill": kill,
            "once": once,
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
        """Make what is copied.

        Args:
            root: where SQLite's lies.
            server: PostgreSQL's, for every fifth run; without it all are on SQLite.
        """
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


def _home(root: Path, number: int, server: Platform) -> Path:
    """A home with the platform's credentials."""
    home = root / f"{server.backend}-{number}"
    home.mkdir()
    vault = SecretStore(home, server.backend, environment={})
    for name, value in server.secrets().items():
        vault.store(name, value)
    return home


def trial(
    root: Path, databases: Databases, publishers: Publishers, server: Platform, *, number: int, scenario: str, post: int
) -> Trial:
    """One run: something happens at a post, then all is well again."""
    home = _home(root, number, server)
    with databases.one(home, number) as database:
        # The posts' numbers stand in their first lines.
        fill(database, numbers := [number * 2 + 1, number * 2 + 2], own_pictures(home), channel=server.backend)
        states, wrong = _lived_through(home, database, publishers, server, numbers, scenario, post)
    if not wrong:
        shutil.rmtree(home)
    kind = database.partition(":")[0].partition("+")[0]
    return Trial(
        channel=server.backend, database=kind, scenario=scenario, post=post, states=tuple(states), faults=tuple(wrong)
    )


def _lived_through(
    home: Path, database: str, publishers: Publishers, server: Platform, numbers: list[int], scenario: str, post: int
) -> tuple[list[str], list[str]]:
    """The posts' states at the end, and what is wrong."""
    wrong = list[str]()
    if scenario in BOUNDARIES:
        publishers.begin(home, database, server, kill=(scenario, post))
        ended, said = publishers.end()
        if ended != signal.SIGKILL:
            wrong.append(f"it was not killed: {said}")
    elif scenario == "in-flight":
        _kill_in_flight(publishers, home, database, server, _first_lines(numbers)[post - 1])
    else:
        server.fail_next(*[scenario] if post == 1 else ["ok", scenario])
        publishers.begin(home, database, server, once=True)
        publishers.end()
    publishers.begin(home, database, server)
    ended, said = publishers.end()
    if ended or "Traceback" in said:
        wrong.append(f"the publisher that lives ended with signal {ended}: {said[-500:]}")
    states = _states(database)
    return states, [*wrong, *_told(server, states, _first_lines(numbers), said)]


def _first_lines(numbers: list[int]) -> list[str]:
    return [f"stone number {number}" for number in numbers]


def _kill_in_flight(publishers: Publishers, home: Path, database: str, server: Platform, line: str) -> None:
    """Kill the publisher once the post is visible, while the answer is held back."""
    server.fail_next("slow", "slow")
    child = publishers.begin(home, database, server, once=True)
    until = time.monotonic() + _PATIENCE
    with contextlib.suppress(ProcessLookupError):
        while not _seen(server, line) and time.monotonic() < until:
            os.kill(child, 0)
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
    publishers.end()


def _seen(server: Platform, line: str) -> int:
    """How often followers see a post, known by its first line."""
    return sum(one["text"].split("\n", maxsplit=1)[0].strip() == line for one in server.visible())


def _states(database: str) -> list[str]:
    engine = connect(database)
    with engine.begin() as connection:
        found = list(connection.scalars(select(posts.c.state).order_by(posts.c.id)))
    engine.dispose()
    return found


def _told(server: Platform, states: list[str], lines: list[str], said: str) -> Iterator[str]:
    """Double and lost posts."""
    for state, line in zip(states, lines, strict=True):
        count = _seen(server, line)
        if count > 1:
            yield f"double: {line!r} is seen {count} times"
        if state == "sent" and not count:
            yield f"lost: {line!r} is called sent and not seen"
        if state not in {"sent", "needs_attention"}:
            yield f"lost: {line!r} is {state}: {said[-300:]}"


def trials(
    channel: str, runs: int, root: Path, publishers: Publishers, *, databases: Databases | None = None, seed: int = SEED
) -> Iterator[Trial]:
    """So many runs of a channel, each scenario as often as the others, in an order that the seed draws; on SQLite by default."""
    rng = random.Random(f"{seed}-{channel}")
    databases = databases or Databases(root)
    drawn = [SCENARIOS[number % len(SCENARIOS)] for number in range(runs)]
    rng.shuffle(drawn)
    for start in range(0, runs, _FRESH):
        with platform(channel) as server:
            for number in range(start, min(start + _FRESH, runs)):
                yield trial(
                    root, databases, publishers, server, number=number, scenario=drawn[number], post=rng.choice((1, 2))
                )
