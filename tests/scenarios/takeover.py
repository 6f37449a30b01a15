"""Two daemons on one database, the leader killed at random moments: each run happens once, the other soon leads.

The daemons are the command itself, with its real lease and heartbeat; each minute has a slot that posts one draft to the folder
channel by the real `auria publish`. It is judged by what there is in the end, not by when: every minute has one run, and every
post that was begun is in the channel's folder, once. A run is done, or its worker was killed over a post: the next slot
replaces it, and the post goes out when the worker's lease has run out, which here it does as soon as the daemons have stopped.
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
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import update

from auria_bot.domain.job_schedule import BEGIN, PUBLISH, JobRunState
from auria_bot.domain.post import Outcome, PostState
from auria_bot.errors import StoreError
from auria_bot.services.schedule.job_scheduler import NAME
from auria_bot.store.engine import connect
from auria_bot.store.schema import posts
from tests.applications import fake_application
from tests.publishing import approved

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application

__all__ = ["measured"]

BAR = 15.0  # seconds
JOB = f"{PUBLISH}folder"
LONGEST_LIFE = 20.0  # seconds that a leader leads before it is killed
SETTINGS = """[schedule]
grace = 10
[schedule.publish]
at = [{minutes}]
catch_up = "run"
[schedule.make]
at = []
[schedule.measure]
at = []
"""


def _application(root: Path, *, drafts: int) -> Application:
    application = fake_application(root, clock=lambda: datetime.now(UTC))
    for number in range(1, drafts + 1):
        approved(application, number, channels=("folder",))
    minutes = ", ".join(f'"*:{minute:02}"' for minute in range(60))
    (root / "auria.toml").write_text(SETTINGS.format(minutes=minutes), encoding="utf-8")
    return application


def _daemon(root: Path) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    command = [sys.executable, "-m", "auria_bot", "daemon"]
    return subprocess.Popen(command, env=kept | {"AURIA_HOME": str(root)}, stderr=subprocess.DEVNULL)


def _leader(application: Application, alive: set[int]) -> int:
    """Wait until one of these processes leads; its number.

    Raises:
        StoreError: none does.
    """
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with application.store.read() as unit:
            lease = unit.leases.get(NAME)
        if lease is not None and (pid := int(lease.holder.split(":")[1])) in alive and lease.until > datetime.now(UTC):
            return pid
        time.sleep(0.1)
    raise StoreError("no daemon took over")


def _leases_run_out(application: Application) -> None:
    """Let the posts of killed workers be taken back, looked up and sent, as the next run would after 15 minutes."""
    engine = connect(application.settings.database_url)
    with engine.begin() as connection:
        connection.execute(update(posts).values(lease_until=application.clock(), due=application.clock()))
    engine.dispose()
    application.publisher.look_up()
    if left := {post.draft_id for post in application.publisher.posts({PostState.WAITING})}:
        application.publisher.publish(left)


def _verdict(application: Application) -> tuple[str, bool]:
    """The slots and posts in words, and whether every slot ran once and every post is out once."""
    runs = [run for run in application.job_scheduler.history() if run.slot.job == JOB and run.slot.name != BEGIN]
    minutes = sorted(run.slot.due for run in runs)
    gaps = sum(later - earlier != timedelta(minutes=1) for earlier, later in pairwise(minutes))
    done = sum(run.state is JobRunState.DONE for run in runs)
    found = application.publisher.posts()
    attempts = application.publisher.attempts([post.id for post in found])
    killed = sum(attempt.outcome is Outcome.ABANDONED for post in found for attempt in attempts[post.id])
    drafts = Counter(post.draft_id for post in found if post.state is PostState.SENT)
    shown = sum(
        page.read_text("utf-8").count("<article") for page in (application.settings.home / "published").glob("*.html")
    )
    replaced, doubled = len(runs) - done, sum(count > 1 for count in drafts.values())
    words = (
        f"{done} slots done, {replaced} replaced after {killed} workers were killed over a post, {gaps} left out;"
        f" {len(found)} posts, {len(found) - len(drafts)} lost, {doubled} doubled"
    )
    return words, (
        gaps == 0
        and replaced <= killed
        and 0 < done <= len(found) <= len(runs)
        and shown == len(found) == len(drafts) == drafts.total()
    )


def _stop(daemons: list[subprocess.Popen[bytes]]) -> None:
    for one in daemons:
        with contextlib.suppress(ProcessLookupError):
            one.terminate()
    for one in daemons:
        one.wait(90)


def measured(kills: int, *, longest_life: float = LONGEST_LIFE) -> tuple[str, bool]:
    """Kill so many leaders; the figures, and whether each scheduled run happened once and each takeover was in time."""
    chance, root = random.Random(20261121), Path(tempfile.mkdtemp(prefix="auria-takeover-"))
    waits, daemons = list[float](), list[subprocess.Popen[bytes]]()
    try:
        with closing(_application(root, drafts=10 + int(kills * (longest_life / 2 + BAR) / 30))) as application:
            daemons += [_daemon(root), _daemon(root)]
            leader = _leader(application, {one.pid for one in daemons})
            for _ in range(kills):
                time.sleep(chance.uniform(0, longest_life))
                killed = time.monotonic()
                os.kill(leader, signal.SIGKILL)
                next(one for one in daemons if one.pid == leader).wait()
                daemons = [one for one in daemons if one.pid != leader]
                leader = _leader(application, {one.pid for one in daemons})
                waits.append(time.monotonic() - killed)
                daemons.append(_daemon(root))
            time.sleep(max(0.0, 61 - datetime.now(UTC).second))  # the last one has work, too
            _stop(daemons)
            _leases_run_out(application)
            words, well = _verdict(application)
    finally:
        _stop(daemons)
        shutil.rmtree(root, ignore_errors=True)
    figures = f"{len(waits)} leaders killed, take-over after {max(waits):.1f} s at the most; {words}"
    return figures, well and max(waits) < BAR
