"""Publishers killed, or cut off from their platform, at every boundary; each is followed by one that is not disturbed.

For each social channel, before its platform on this machine, so many seeded runs. A run has two due posts. Its seed draws the
boundary, and at which of the posts: SIGKILL before the claim, after it, after the upload, right before the mutation, after it
(before its commit), after the commit, and while the platform's answer is on its way; or the platform fails at the mutation
(before acting, after acting, within its answer, in silence, with garbage, with an error of the server); or the answer is cut off
and then the platform shows no posts where the channel looks for this one, for a while or for good; or a field of its answers is
missing, null, renamed or of another type while posts are sent and looked up; or a post is withdrawn, and the withdrawal is killed,
its answer is cut off, or the post's own outcome was unknown. Then publishers run until
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
from tests.scenarios.changed_answers import KINDS, Drifting, EmptyTimeline, changed_answers, changes, drop_faults
from tests.scenarios.mortal_publisher import BOUNDARIES, DELETIONS
from tests.scenarios.publishing import fill, own_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.scenarios.changed_answers import Change, ChangedAnswers

__all__ = [
    "BOUNDARIES",
    "CUTS",
    "DRIFTS",
    "SCENARIOS",
    "TIMELINES",
    "WITHDRAWALS",
    "Databases",
    "Publishers",
    "Trial",
    "trials",
]

SEED = 20261121
CUTS = tuple(fault for fault in FAULTS if fault not in {"401", "403", "429"})
"""How the platform fails at a mutation; refusals are no faults of the line."""

FOR_GOOD = "empty timeline for good"
TIMELINES = ("empty timeline", FOR_GOOD)
"""The answer is cut off, and what was posted is not shown."""

DRIFTS = tuple(f"field {kind}" for kind in KINDS if kind != "extra")
"""How a field of the answers changes."""

OF_UNKNOWN = "withdrawal of unknown"
WITHDRAWALS = (*DELETIONS, *(f"withdrawal {cut}" for cut in ("cut-before", "cut-after", "500-after")), OF_UNKNOWN)
"""What happens when a post is withdrawn."""

SCENARIOS = (*BOUNDARIES, "in-flight", *CUTS, *TIMELINES, *DRIFTS, *WITHDRAWALS)
"""Kills, cuts, answers that mislead, then withdrawals."""

_FRESH = 20  # runs before a platform is started anew, so that its history stays short
_EVERY = 5  # runs, of which the last is on PostgreSQL
_PATIENCE = 120.0  # seconds for a mutation to become visible


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


def _home(root: Path, number: int, server: Platform) -> Path:
    """A home with the platform's credentials."""
    home = root / f"{server.backend}-{number}"
    home.mkdir()
    vault = SecretStore(home, server.backend, environment={})
    for name, value in server.secrets().items():
        vault.store(name, value)
    return home


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run: something happens at a post, then all is well again."""

    publishers: Publishers
    server: Platform
    home: Path
    database: str
    lines: list[str]  # the posts' first lines
    scenario: str
    post: int  # at which of the posts it happens, from 1
    answers: ChangedAnswers | None  # what misleads
    rounds: int  # how many publishers are misled

    def lived_through(self) -> tuple[list[str], list[str]]:
        """The posts' states at the end, and what is wrong."""
        with contextlib.ExitStack() as stack:
            if self.scenario in WITHDRAWALS:
                wrong = list(self._withdrawn())
            elif self.answers is None:
                wrong = list(self._disturbed())
            else:
                stack.enter_context(changed_answers(self.server, self.answers))
                wrong = list(self._misled())
                if self.scenario != FOR_GOOD:
                    stack.close()
            self.publishers.begin(self.home, self.database, self.server, resume=self.answers is not None)
            ended, said = self.publishers.end()
        if ended or "Traceback" in said:
            wrong.append(f"the publisher that lives ended with signal {ended}: {said[-500:]}")
        states = _states(self.database)
        withdrawn = self.lines[self.post - 1] if self.scenario in WITHDRAWALS else ""
        if withdrawn and states[self.post - 1] == "sent" and self.server.backend != "instagram_graph":
            wrong.append(f"lost: the wish to withdraw {withdrawn!r}: {said[-300:]}")
        return states, [*wrong, *_told(self.server, states, self.lines, said, withdrawn=withdrawn)]

    def _disturbed(self) -> Iterator[str]:
        """Kill the publisher, or let its line fail; yields what is wrong."""
        if self.scenario in BOUNDARIES:
            for _ in range(3):  # on a busy machine the platform may be too slow for it to reach the boundary
                self.publishers.begin(self.home, self.database, self.server, kill=(self.scenario, self.post))
                ended, said = self.publishers.end()
                if ended == signal.SIGKILL:
                    break
            else:
                yield f"it was not killed: {said}"
        elif self.scenario == "in-flight":
            self._kill_in_flight(self.lines[self.post - 1])
        else:
            self._one_round(self.scenario)

    def _misled(self) -> Iterator[str]:
        """Cut an answer off, and look for the post while answers mislead; yields what is wrong."""
        with _keys_forgotten(self.server):
            for fault in ("cut-after", *["ok"] * (self.rounds - 1)):
                said = self._one_round(fault)
                if "Traceback" in said:
                    yield f"crash: {said[-500:]}"
            drop_faults(self.server)

    def _withdrawn(self) -> Iterator[str]:
        """Publish, then withdraw a post, which is disturbed; yields what is wrong."""
        self._one_round("cut-after" if self.scenario == OF_UNKNOWN else "ok")
        kill = (self.scenario, 1) if self.scenario in DELETIONS else None
        if kill is None and self.scenario != OF_UNKNOWN:
            self.server.fail_next_deletions(self.scenario.removeprefix("withdrawal "))
        self.publishers.begin(self.home, self.database, self.server, kill=kill, withdraw=self.post)
        ended, said = self.publishers.end()
        wrong = ended != (signal.SIGKILL if kill else 0)
        if "Traceback" in said or (wrong and self.server.backend != "instagram_graph"):  # which cannot delete
            yield f"the withdrawal ended with signal {ended}: {said[-500:]}"
        drop_faults(self.server)

    def _one_round(self, fault: str) -> str:
        """One round of a publisher, whose mutation of the post fails so; what it said."""
        self.server.fail_next(*[fault] if self.post == 1 else ["ok", fault])
        self.publishers.begin(self.home, self.database, self.server, once=True)
        return self.publishers.end()[1]

    def _kill_in_flight(self, line: str) -> None:
        """Kill the publisher once the post is visible, while the answer is held back."""
        self.server.fail_next("slow", "slow")
        child = self.publishers.begin(self.home, self.database, self.server, once=True)
        until = time.monotonic() + _PATIENCE
        with contextlib.suppress(ProcessLookupError):
            while not _seen(self.server, line) and time.monotonic() < until:
                os.kill(child, 0)
                time.sleep(0.01)
            os.kill(child, signal.SIGKILL)
        self.publishers.end()


class _Trials:
    """The runs of one channel."""

    def __init__(self, channel: str, root: Path, publishers: Publishers, databases: Databases, seed: int) -> None:
        self._channel, self._root, self._publishers, self._databases = channel, root, publishers, databases
        self._rng = random.Random(f"{seed}-{channel}")
        self._changes: list[Change] = []  # of the answers that a publisher gets

    def run(self, runs: int, scenarios: Sequence[str]) -> Iterator[Trial]:
        """So many runs, each scenario as often as the others."""
        drawn = [scenarios[number % len(scenarios)] for number in range(runs)]
        self._rng.shuffle(drawn)
        for start in range(0, runs, _FRESH):
            with platform(self._channel) as server:
                if not self._changes:
                    drifting = Drifting()  # which changes nothing yet
                    self._trial(server, number=runs, scenario="cut-after", answers=drifting)
                    self._changes = changes(self._channel, drifting)
                for number in range(start, min(start + _FRESH, runs)):
                    scenario = drawn[number]
                    yield self._trial(server, number=number, scenario=scenario, answers=self._answers(scenario))

    def _answers(self, scenario: str) -> ChangedAnswers | None:
        """What misleads publishers in a scenario."""
        if scenario in TIMELINES:
            return EmptyTimeline(self._channel)
        if scenario in DRIFTS:
            kind = scenario.removeprefix("field ")
            return Drifting(self._rng.choice([change for change in self._changes if change.kind == kind]))
        return None

    def _trial(self, server: Platform, *, number: int, scenario: str, answers: ChangedAnswers | None) -> Trial:
        post, rounds = self._rng.choice((1, 2)), self._rng.choice((2, 3, 4))
        home, numbers = _home(self._root, number, server), [number * 2 + 1, number * 2 + 2]
        with self._databases.one(home, number) as database:
            fill(database, numbers, own_pictures(home), channel=server.backend)
            run = _Run(
                publishers=self._publishers,
                server=server,
                home=home,
                database=database,
                lines=_first_lines(numbers),
                scenario=scenario,
                post=post,
                answers=answers,
                rounds=rounds,
            )
            states, wrong = run.lived_through()
        if not wrong:
            shutil.rmtree(home)
        return Trial(
            channel=server.backend,
            database=database.partition(":")[0].partition("+")[0],
            scenario=scenario,
            detail=str(answers.change or "") if isinstance(answers, Drifting) else "",
            post=post,
            states=tuple(states),
            faults=tuple(wrong),
        )


@contextlib.contextmanager
def _keys_forgotten(server: Platform) -> Iterator[None]:
    """Let a platform know no idempotency keys, as after an hour."""
    proxy = getattr(server, "proxy", None)
    if proxy is not None:
        proxy.unheard = frozenset({b"idempotency-key"})
    yield
    if proxy is not None:
        proxy.unheard = frozenset()


def _first_lines(numbers: list[int]) -> list[str]:
    return [f"stone number {number}" for number in numbers]


def _seen(server: Platform, line: str) -> int:
    """How often followers see a post, known by its first line."""
    return sum(one["text"].split("\n", maxsplit=1)[0].strip() == line for one in server.visible())


def _states(database: str) -> list[str]:
    engine = connect(database)
    with engine.begin() as connection:
        found = list(connection.scalars(select(posts.c.state).order_by(posts.c.id)))
    engine.dispose()
    return found


def _told(server: Platform, states: list[str], lines: list[str], said: str, *, withdrawn: str = "") -> Iterator[str]:
    """Double and lost posts; a post that was to be withdrawn may be gone, and must be where it is called so."""
    for state, line in zip(states, lines, strict=True):
        count = _seen(server, line)
        if count > 1:
            yield f"double: {line!r} is seen {count} times"
        if state == "sent" and not count:
            yield f"lost: {line!r} is called sent and not seen"
        if state in {"withdrawn", "cancelled"} and (count or line != withdrawn):
            yield f"lost: {line!r} is called {state} and seen {count} times"
        if state not in {"sent", "needs_attention", "withdrawn", "cancelled"}:
            yield f"lost: {line!r} is {state}: {said[-300:]}"


def trials(
    channel: str,
    runs: int,
    root: Path,
    publishers: Publishers,
    *,
    databases: Databases | None = None,
    seed: int = SEED,
    scenarios: Sequence[str] = SCENARIOS,
) -> Iterator[Trial]:
    """So many runs of a channel, each scenario as often as the others, in an order that the seed draws; on SQLite by default."""
    return _Trials(channel, root, publishers, databases or Databases(root), seed).run(runs, scenarios)
