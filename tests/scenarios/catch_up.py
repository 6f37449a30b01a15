"""Three days off, then a restart, with the policies run, skip and ask: each job is made up for at most once, as its policy says.

The daemon is the real one and starts real processes, which note that they ran; only the clock is set.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

from auria_bot.daemon import Daemon
from auria_bot.settings.sections import ScheduleSettings
from auria_bot.testing import FakeClock
from tests.applications import fake_application

__all__ = ["measured"]

JOBS = {"make": "run", "measure": "skip", "refresh": "ask"}
COMMANDS = {"make", "measure", "corpus"}
NOTE = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + '\\n')"


def _lived(root: Path) -> tuple[Counter[str], Counter[tuple[str, str]], Counter[str]]:
    """What ran after three days without a daemon, the states of the runs, and what ran after the operator's answer."""
    clock, noted = FakeClock(), root / "ran"
    jobs = {name: {"at": ["04:00"], "catch_up": policy} for name, policy in JOBS.items()}
    schedule = ScheduleSettings.model_validate(
        {name: {"at": []} for name in ("reconcile", "publish", "backup", "tidy", "digest")} | jobs | {"days_ahead": 1}
    )
    with closing(fake_application(root, clock=clock)) as application:
        settings = application.settings.model_copy(update={"schedule": schedule})
        program = (sys.executable, "-S", "-E", "-c", NOTE, str(noted))

        def once() -> Counter[str]:
            Daemon(load=lambda: settings, clock=clock, program=program).once()
            return Counter(one for one in noted.read_text().split() if one in COMMANDS) if noted.exists() else Counter()

        once()
        clock.advance(days=3)
        ran = once()
        states = Counter(
            (one.slot.job, str(one.state)) for one in application.job_scheduler.history() if one.slot.job in JOBS
        )
        application.job_scheduler.decide("refresh", run=True)
        return ran, states, once()


def measured() -> tuple[str, bool]:
    """Let three days pass without a daemon, then answer yes; the figures, and whether the policies were followed."""
    root = Path(tempfile.mkdtemp(prefix="auria-catch-up-"))
    try:
        ran, states, after = _lived(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    passed = ran == {"make": 1} and after == {"make": 1, "corpus": 1}
    passed = passed and states == {
        ("make", "done"): 1,
        ("make", "skipped"): 2,
        ("measure", "skipped"): 3,
        ("refresh", "asked"): 1,
        ("refresh", "skipped"): 2,
    }
    figures = (
        f"of 3 missed slots each, run made up for {ran['make']}, skip for {ran['measure']}, ask for {ran['corpus']} until the operator said"
        f" yes, then for {after['corpus']}"
    )
    return figures, passed
