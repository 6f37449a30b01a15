"""Two daemons on one database, the leader killed with SIGKILL at random moments: every slot once, and soon another leads.

The daemons are the command itself, with its real lease and heartbeat; each minute has a slot that posts one draft to the folder
channel by the real `auria publish`. Posts are counted in the channel's folder: as many as slots that are done, none twice.
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
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.domain.job_schedule import JobRunState
from auria_bot.domain.post import PostState
from auria_bot.errors import StoreError
from auria_bot.services.schedule.job_scheduler import NAME
from tests.house import fake_house
from tests.publishing import approved

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application

__all__ = ["measured"]

BAR = 15.0  # seconds
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


def _house(root: Path, *, drafts: int) -> Application:
    house = fake_house(root, clock=lambda: datetime.now(UTC))
    for number in range(1, drafts + 1):
        approved(house, number, channels=("folder",))
    minutes = ", ".join(f'"*:{minute:02}"' for minute in range(60))
    (root / "auria.toml").write_text(SETTINGS.format(minutes=minutes), encoding="utf-8")
    return house


def _daemon(root: Path) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    command = [sys.executable, "-m", "auria_bot", "daemon"]
    return subprocess.Popen(command, env=kept | {"AURIA_HOME": str(root)}, stderr=subprocess.DEVNULL)


def _leader(house: Application, alive: set[int]) -> int:
    """Wait until one of these processes leads; its number.

    Raises:
        StoreError: none does.
    """
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with house.store.read() as unit:
            lease = unit.leases.get(NAME)
        if lease is not None and (pid := int(lease.holder.split(":")[1])) in alive and lease.until > datetime.now(UTC):
            return pid
        time.sleep(0.1)
    raise StoreError("no daemon took over")


def _quiet(house: Application) -> bool:
    """Whether something was done, and nothing is open."""
    claims = house.job_scheduler.history()
    return bool(claims) and all(claim.state not in {JobRunState.RUNNING, JobRunState.RETRY} for claim in claims)


def _stop(daemons: list[subprocess.Popen[bytes]]) -> None:
    for one in daemons:
        with contextlib.suppress(ProcessLookupError):
            one.terminate()
    for one in daemons:
        one.wait(90)


def measured(kills: int, *, longest_life: float = LONGEST_LIFE) -> tuple[str, bool]:
    """Kill so many leaders. The figures, and whether every slot ran once and each took over in time."""
    chance, root = random.Random(20261121), Path(tempfile.mkdtemp(prefix="auria-takeover-"))
    waits, daemons = list[float](), list[subprocess.Popen[bytes]]()
    try:
        with closing(_house(root, drafts=10 + int(kills * (longest_life / 2 + BAR) / 30))) as house:
            daemons += [_daemon(root), _daemon(root)]
            leader = _leader(house, {one.pid for one in daemons})
            for _ in range(kills):
                time.sleep(chance.uniform(0, longest_life))
                killed = time.monotonic()
                os.kill(leader, signal.SIGKILL)
                next(one for one in daemons if one.pid == leader).wait()
                daemons = [one for one in daemons if one.pid != leader]
                leader = _leader(house, {one.pid for one in daemons})
                waits.append(time.monotonic() - killed)
                daemons.append(_daemon(root))
            # What the last one left is finished; posts that may be out are looked up at the next quarter.
            until = time.monotonic() + 90
            while not _quiet(house) and time.monotonic() < until:
                time.sleep(1)
            _stop(daemons)
            slots = Counter(
                claim.state for claim in house.job_scheduler.history() if claim.slot.job == "publish folder"
            )
            sent = [post.draft_id for post in house.publisher.posts() if post.state is PostState.SENT]
    finally:
        _stop(daemons)
        shutil.rmtree(root, ignore_errors=True)
    done, others = slots[JobRunState.DONE], sum(slots.values()) - slots[JobRunState.DONE]
    figures = (
        f"{len(waits)} leaders killed, take-over after {max(waits):.1f} s at the most; {done} slots done, {others} not; {len(sent)} posts,"
        f" {len(sent) - len(set(sent))} doubled"
    )
    passed = max(waits) < BAR and others == 0 and done == len(sent) == len(set(sent))
    return figures, passed
