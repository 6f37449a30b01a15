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
others in SQLite. The second post is a film where the channel takes films.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.platforms import FAULTS, TAKES_FILMS, Platform, platform
from tests.scenarios.changed_answers import KINDS, Drifting, EmptyTimeline, changed_answers, changes, drop_faults
from tests.scenarios.mortal_publisher import BOUNDARIES, DELETIONS
from tests.scenarios.publishers import Databases, Trial, new_home, seen, states_of, told
from tests.scenarios.publishing import fill, own_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.scenarios.changed_answers import Change, ChangedAnswers
    from tests.scenarios.publishers import Publishers

__all__ = [
    "BOUNDARIES",
    "CUTS",
    "DRIFTS",
    "SCENARIOS",
    "TIMELINES",
    "WITHDRAWALS",
    "first_lines",
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
_PATIENCE = 120.0  # seconds for a mutation to become visible


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run: something happens at a post, then all is well again."""

    publishers: Publishers
    server: Platform
    home: Path
    database: str
    lines: list[str]  # the posts' first lines
    films: bool  # whether the second one is a film
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
        states = states_of(self.database)
        withdrawn = self.lines[self.post - 1] if self.scenario in WITHDRAWALS else ""
        if withdrawn and states[self.post - 1] == "sent" and self.server.backend != "instagram_graph":
            wrong.append(f"lost: the request to withdraw {withdrawn!r}: {said[-300:]}")
        films = self.lines[1:] if self.films else ()
        return states, [*wrong, *told(self.server, states, self.lines, said, withdrawn=withdrawn, films=films)]

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
            while not seen(self.server, line) and time.monotonic() < until:
                os.kill(child, 0)
                time.sleep(0.01)
            os.kill(child, signal.SIGKILL)
        self.publishers.end()


class _Trials:
    """The runs of one channel."""

    def __init__(
        self,
        channel: str,
        root: Path,
        publishers: Publishers,
        databases: Databases,
        *,
        seed: int,
        film: Path | None,
        post: int | None,
    ) -> None:
        self._channel, self._root, self._publishers, self._databases = channel, root, publishers, databases
        self._film, self._post = film if channel in TAKES_FILMS else None, post
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
        post, rounds = self._post or self._rng.choice((1, 2)), self._rng.choice((2, 3, 4))
        home, numbers = new_home(self._root, number, server), [number * 2 + 1, number * 2 + 2]
        with self._databases.one(home, number) as database:
            fill(database, numbers, own_pictures(home), channel=server.backend, film=self._film)
            run = _Run(
                publishers=self._publishers,
                server=server,
                home=home,
                database=database,
                lines=first_lines(numbers),
                films=self._film is not None,
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


def first_lines(numbers: Sequence[int]) -> list[str]:
    """The first lines of posts of these numbers."""
    return [f"stone number {number}" for number in numbers]


def trials(
    channel: str,
    runs: int,
    root: Path,
    publishers: Publishers,
    *,
    databases: Databases | None = None,
    seed: int = SEED,
    scenarios: Sequence[str] = SCENARIOS,
    film: Path | None = None,
    post: int | None = None,
) -> Iterator[Trial]:
    """So many runs of a channel, each scenario as often as the others, in an order that the seed draws.

    Args:
        channel, runs, root, publishers: which and how many, in which folder, by what.
        databases: of the runs; by default, SQLite's.
        seed, scenarios: what happens.
        film: the second post's, where the channel takes films; None: it is a picture too.
        post: at which of the posts it happens; None: the seed draws it.
    """
    done = _Trials(channel, root, publishers, databases or Databases(root), seed=seed, film=film, post=post)
    return done.run(runs, scenarios)
