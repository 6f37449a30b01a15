"""A daemon with nothing to do for ten minutes, then 100,000 simulated ticks: how much memory and time it takes, and whether it grows.

Its endpoint is on, and asked for /metrics and /healthz once a minute, as Prometheus and a health check do by default; what answering
costs is counted in.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

from auria_bot.telemetry import METRICS
from tests.applications import fake_application

__all__ = []

SETTLE = 15.0  # seconds after its start from which on its time counts
SCRAPE = 60.0  # seconds between two scrapes, Prometheus' default
MOST_MEMORY, MOST_TIME = 80.0, 0.2  # MB; % of a core
MOST_GROWTH = 2.0  # MB between the first tenth and the end of the simulated ticks

_TICKS = """
import sys, os, gc
from datetime import timedelta
from pathlib import Path
from auria_bot.daemon import Daemon
from auria_bot.testing import FakeClock
from auria_bot.settings import loading
count, clock = int(sys.argv[1]), FakeClock()
one = Daemon(load=loading.load, clock=clock, program=(sys.executable, "-c", "pass"))
size = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
def tick(number):
    clock.now += timedelta(milliseconds=30)
    (one.heartbeat if number % 20 else one.dispatch)()
for number in range(count // 10): tick(number)
gc.collect(); before = size()
for number in range(count // 10, count): tick(number)
gc.collect(); print(size() - before)
"""


def _environment(root: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    return kept | {"AURIA_HOME": str(root)}


def _idle(root: Path, seconds: float) -> tuple[float, float, int, list[str]]:
    """`auria daemon` whose only jobs are hours away, with its endpoint on.

    Returns:
        The largest resident size in MB, the share of a core in %, how many scrapes there were and what was wrong with their answers.
    """
    fake_application(root).close()
    hour = (time.gmtime().tm_hour + 12) % 24
    never = "".join(f"[schedule.{job}]\nat = []\n" for job in ("reconcile", "measure", "backup", "tidy", "digest"))
    far = "".join(f'[schedule.{job}]\nat = ["{hour:02}:00"]\n' for job in ("make", "publish"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (root / "auria.toml").write_text(f'{never}{far}[health]\naddress = "{address}"\n', encoding="utf-8")
    program = subprocess.Popen(
        [sys.executable, "-m", "auria_bot", "daemon"], env=_environment(root), stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(SETTLE)
        began, before, largest = time.monotonic(), _spent(program.pid), 0.0
        scrapes, faults = 0, list[str]()
        while (gone := time.monotonic() - began) < seconds:
            if gone >= scrapes * SCRAPE:
                faults += _scrape(f"http://{address}")
                scrapes += 1
            largest = max(largest, _resident(program.pid))
            time.sleep(max(0.0, min(5.0, seconds - gone, scrapes * SCRAPE - gone)))
        return largest, 100 * (_spent(program.pid) - before) / (time.monotonic() - began), scrapes, faults
    finally:
        program.terminate()
        program.wait(30)


def _scrape(url: str) -> list[str]:
    """Ask as Prometheus and a health check do; what is wrong with the answers of an idle daemon."""
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=10) as answer:  # noqa: S310 - this machine's own
            health = answer.read().decode()
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310
            text = answer.read().decode()
    except OSError as error:
        return [f"{url}: {error}"]
    faults = [f"/healthz: {health.strip()}"] if health != "well\n" else []
    faults += [
        f"/metrics lacks {metric.name}" for metric in METRICS if f"# TYPE {metric.name} {metric.kind}\n" not in text
    ]
    faults += [
        f"/metrics lacks {line!r}" for line in ("auria_healthy 1", "auria_database_up 1") if f"\n{line}\n" not in text
    ]
    heart = re.search(r"^auria_leader_heartbeat_timestamp_seconds (\S+)$", text, re.MULTILINE)
    if heart is None or abs(time.time() - float(heart[1])) > 15:
        faults.append("/metrics: the heartbeat is not of now")
    return faults


def _growth(root: Path, ticks: int) -> float:
    """By how many MB the daemon grows."""
    with closing(fake_application(root)) as application:
        application.store.close()
    told = subprocess.run(
        [sys.executable, "-c", _TICKS, str(ticks)], env=_environment(root), check=True, capture_output=True, text=True
    )
    return float(told.stdout)


def _spent(pid: int) -> float:
    """Seconds of processor time, user's and system's."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
