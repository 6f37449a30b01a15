"""Refreshing from Reddit, killed and hindered: nothing missed, nothing twice, what is deleted there is forgotten.

A trial is a Reddit of the tests with two subreddits, and a home. In each of several rounds people post, delete, are removed and are let through late,
some of it while Auria reads; answers fail in every way that they can; and Auria is killed (SIGKILL) at a request, or a moment after it,
again and again, until a run is left alone. At the end of a round what is kept is compared with what stands on Reddit, post by post.

The process that is killed is the command `auria corpus refresh`, forked from one that has imported everything.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.store.engine import upgrade
from tests.platforms.reddit import CLIENT_ID, CLIENT_SECRET, RedditServer

if TYPE_CHECKING:
    import random
    from multiprocessing.context import ForkServerProcess

__all__ = ["Tally", "compared", "trial"]

SEED = 20_261_121
SUBREDDITS = ("haiku", "youpoets")
FAULTS = ("cut-before", "cut-after", "cut-within", "garbage", "500", "503", "slow", "429")
_LATE = 80_000.0  # seconds by which a post may show up late: what shows up after more than a day is not looked for
_PATIENCE = 120.0  # seconds for a run that is left alone
_IMPORTED = [
    "praw",
    "requests",
    "auria_bot.cli.app",
    "auria_bot.cli.corpus.refresh",
    "auria_bot.cli.corpus.verses",
    "auria_bot.bootstrap.application",
    "auria_bot.store.unit_of_work",
    "auria_bot.services.corpus.reddit_sync",
    "auria_bot.services.corpus.deletion_check",
    "auria_bot.services.corpus.corpus_import",
    "auria_bot.settings.loading",
    "auria_bot.corpus.language.season_words",
    "rich.console",
    "rich.table",
]


@dataclass(slots=True)
class Tally:
    """What was counted over all trials."""

    rounds: int = 0
    runs: int = 0
    kills: int = 0
    posts: int = 0
    deleted: int = 0
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def _refresh(home: str, settings: dict[str, Any]) -> None:
    """The command, in this process."""
    for name, value in settings.items():
        os.environ[f"AURIA_CORPUS__REDDIT__{name.upper()}"] = str(value)
    os.environ |= {
        "AURIA_HOME": home,
        "AURIA_CORPUS__SUBREDDITS": ",".join(SUBREDDITS),
        "AURIA_SECRET_REDDIT_CLIENT_ID": CLIENT_ID,
        "AURIA_SECRET_REDDIT_CLIENT_SECRET": CLIENT_SECRET,
    }
    from auria_bot.cli import main

    place = Path(home)
    with (
        (place / "told.json").open("w", encoding="utf-8") as told,
        (place / "said").open("w", encoding="utf-8") as said,
    ):
        sys.stdout, sys.stderr = told, said
        sys.argv = ["auria", "corpus", "refresh", "--json"]
        main()


def trial(home: Path, rng: random.Random, tally: Tally, *, posts: int, rounds: int, kills: int) -> None:
    """One Reddit and one home, over some rounds of posting, deleting, killing and comparing."""
    home.mkdir(parents=True)
    upgrade(f"sqlite:///{home / 'auria.db'}")
    with RedditServer() as server:
        server.now = time.time() - 100_000
        server.forgetful = rng.random() < 0.5
        held = _people(server, rng, posts)
        for number in range(rounds):
            gone = _round(home, server, rng, tally, kills=kills)
            tally.rounds += 1
            tally.wrong += [f"round {number}: {one}" for one in compared(home, server)]
            for one in gone:
                server.take_away(one, rng.choice(("deleted", "removed")))
            for name in held:
                server.take_away(name, "up")
            # Rounds of looking begin again after their time; here it passes by setting the marks back.
            _time_passes(home)
            server.now += rng.randint(2_000, 20_000)
            held = _people(server, rng, rng.randint(0, posts // 2), within=_LATE)
        tally.requests += len(server.queries)
        tally.posts += len(server.everything)
        tally.deleted += sum(one.state != "up" for one in server.everything.values())


def _people(server: RedditServer, rng: random.Random, posts: int, *, within: float = float("inf")) -> list[str]:
    """New posts in both subreddits, of the last `within` seconds; the ids of those that moderators hold back for now."""
    held = []
    for name in SUBREDDITS:
        count = posts if name == "haiku" else posts // 4
        made = server.fill(count, subreddit=name, every=min(rng.uniform(60, 600), within / max(1, count)))
        for one in made:
            if rng.random() < 0.04 and server.now - one.created < _LATE / 2:
                one.state = "held"
                held.append(one.id)
        if made and rng.random() < 0.3:
            rng.choice(made).stickied = True
    server.post("Weekly thread: share what you read", subreddit="haiku")
    return held


def _round(home: Path, server: RedditServer, rng: random.Random, tally: Tally, *, kills: int) -> list[str]:
    """Runs that are killed, then one that is left alone, twice; ids that are to be deleted before the next round."""
    standing = [one.id for name in SUBREDDITS for one in server.up(name)]
    doomed = set(rng.sample(standing, len(standing) // 12))
    during = set(rng.sample(sorted(doomed), len(doomed) // 3))
    for _ in range(rng.randint(1, kills)):
        _killed(home, server, rng, tally, during)
    server.before_answer = _life(server, rng, during, tally)
    _left_alone(home, server, tally)
    server.before_answer = None
    # What came or went while it read is seen by the next run.
    for one in during:
        server.take_away(one)
    _time_passes(home)
    _left_alone(home, server, tally)
    return sorted(doomed - during)


def _life(server: RedditServer, rng: random.Random, during: set[str], tally: Tally) -> Any:
    """What happens on Reddit while it is read: posts, deletions, faults."""

    def happens(_: int) -> None:
        chance = rng.random()
        if chance < 0.15:
            server.now += 5
            server.post(subreddit=rng.choice(SUBREDDITS))
        elif chance < 0.3 and during:
            server.take_away(during.pop(), rng.choice(("deleted", "removed")))
        elif chance < 0.55:
            fault = rng.choices(FAULTS, weights=(3, 3, 3, 3, 3, 3, 1, 1))[0]
            tally.faults[fault] += 1
            server.fail_next(fault)
        elif chance < 0.58:
            tally.faults["token"] += 1
            server.expire_tokens()

    return happens


def _begun(home: Path, server: RedditServer, tally: Tally) -> ForkServerProcess:
    tally.runs += 1
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    child = context.Process(target=_refresh, args=(str(home), server.settings(timeout=1.0, check_requests=1000)))
    child.start()
    return child


def _killed(home: Path, server: RedditServer, rng: random.Random, tally: Tally, during: set[str]) -> None:
    """A run that is killed at a request, or a moment after it."""
    at, life = len(server.queries) + rng.randint(1, 5), _life(server, rng, during, tally)
    pause = rng.choice((0.0, rng.uniform(0, 0.05), rng.uniform(0, 0.15)))
    reached = threading.Event()

    def watches(number: int) -> None:
        life(number)
        if number >= at:
            reached.set()

    server.before_answer = watches
    child = _begun(home, server, tally)
    until = time.monotonic() + _PATIENCE
    while child.is_alive() and not reached.is_set() and time.monotonic() < until:
        reached.wait(0.005)
    time.sleep(pause)
    if child.is_alive() and child.pid:
        os.kill(child.pid, signal.SIGKILL)
        tally.kills += 1
    child.join()
    server.before_answer = None


def _left_alone(home: Path, server: RedditServer, tally: Tally) -> None:
    child = _begun(home, server, tally)
    child.join(_PATIENCE)
    if child.exitcode != 0:
        child.kill()
        child.join()
        tally.wrong.append(
            f"a run that was left alone ended with {child.exitcode}: {(home / 'said').read_text('utf-8')[-300:]}"
        )
        return
    told = json.loads((home / "told.json").read_text("utf-8"))
    for one in told["listings"]:
        if one["gap"] or not one["finished"]:
            tally.wrong.append(f"r/{one['subreddit']}: gap {one['gap']}, finished {one['finished']}")


def compared(home: Path, server: RedditServer) -> list[str]:
    """Compare what is stored with what should be."""
    with contextlib.closing(sqlite3.connect(home / "auria.db")) as connection:
        rows = connection.execute("SELECT external_id, lines, author FROM verses WHERE state = 'kept'").fetchall()
        left = connection.execute("SELECT count(*) FROM verses WHERE state = 'forgotten' AND lines != ''").fetchone()[0]
    found = Counter(identifier for identifier, _, _ in rows)
    lines = Counter(text for _, text, _ in rows)
    stands = {one.id for name in SUBREDDITS for one in server.up(name) if " / " in one.title}
    wrong = []
    if missed := stands - found.keys():
        wrong.append(f"{len(missed)} of {len(stands)} posts missed, such as {sorted(missed)[:3]}")
    if kept := found.keys() - stands:
        wrong.append(f"{len(kept)} posts kept that do not stand, such as {sorted(kept)[:3]}")
    if max([*found.values(), *lines.values()], default=1) > 1:
        wrong.append("a post or a poem is kept twice")
    bytes_left = b"".join(file.read_bytes() for file in home.glob("auria.db*"))
    gone = [one for one in server.everything.values() if one.state != "up" and " / " in one.title]
    if readable := [one.id for one in gone if one.title.replace(" / ", "\n").encode() in bytes_left]:
        wrong.append(f"{len(readable)} poems can still be read in the file, such as {readable[:3]}")
    if left:
        wrong.append(f"the words of {left} forgotten poems are still there")
    if any(author for _, _, author in rows):
        wrong.append("an author's name is kept")
    return wrong


def _time_passes(home: Path) -> None:
    """Every round of looking is due again."""
    with contextlib.closing(sqlite3.connect(home / "auria.db")) as connection, connection:
        rows = connection.execute("SELECT listing, mark FROM bookmarks WHERE listing LIKE 'look %'").fetchall()
        for listing, text in rows:
            mark = json.loads(text)
            connection.execute(
                "UPDATE bookmarks SET mark = ? WHERE listing = ?", (json.dumps({**mark, "began": 0}), listing)
            )
