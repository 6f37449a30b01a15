"""The unattended loop: a tick every three seconds, a process for each piece of work, and nothing that stops it for good.

APScheduler only ticks. What ran stands in the table of slots, who may run it in the lease; so a daemon may be killed at any moment and
another goes on. SIGTERM and SIGINT let what is under way finish for a while and begin nothing new; SIGHUP reads the
settings again, and keeps the old ones where the new ones are wrong. While the database is away nothing is begun. Knows when,
not what: the work is `auria`'s own commands.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from auria_bot import telemetry
from auria_bot.bootstrap import application, operations
from auria_bot.domain.job_schedule import JobRunState
from auria_bot.errors import AuriaError, DiskError, InvalidTransition, SettingsError, StoreError
from auria_bot.redaction import redacted_error
from auria_bot.services.operations.outage_alerts import DATABASE, SETTINGS
from auria_bot.services.operations.systemd_notify import tell
from auria_bot.services.schedule.job_process import PROGRAM, JobProcess, JobResult
from auria_bot.services.schedule.job_scheduler import LOOK_AGAIN, MOST_WORDS
from auria_bot.services.schedule.leader_election import HEARTBEAT, LeaderElection, own_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.job_schedule import JobRun, ScheduledTime
    from auria_bot.settings.schema import Settings

__all__ = ["Daemon"]

log = logging.getLogger(__name__)

_BETWEEN = 0.2  # seconds between two looks of `once`
_PATIENCE = 5.0  # seconds a worker has to end when it is told to


class Daemon:
    """Does everything by herself.

    Usage::

        Daemon(load=settings.load).run()
        Daemon(load=settings.load).once()
    """

    def __init__(
        self,
        *,
        load: Callable[[], Settings],
        clock: Callable[[], datetime] | None = None,
        program: Sequence[str] = PROGRAM,
        holder: str = "",
    ) -> None:
        """Read the settings; nothing is opened yet.

        Args:
            load: reads the settings.
            clock: tells the time.
            program: how `auria` is run.
            holder: this daemon's name among daemons, like no other's.

        Raises:
            SettingsError: a setting is wrong.
        """
        self._load, self._clock, self._program = load, clock, tuple(program)
        self._holder = holder or own_name()
        self._house: Application = application.build(load(), clock=clock)
        self._caretaker = operations.caretaker(self._house, self._program)
        self._alarm = operations.alarm(self._house.settings, self._program)
        self._leadership: LeaderElection | None = None
        self._workers: dict[ScheduledTime, JobProcess] = {}
        self._reports: list[tuple[JobRun, JobResult]] = []  # what came of slots, until it is written down
        self._next_look: datetime | None = None  # None: look at once
        self._led: bool | None = None  # as of the last heartbeat
        self._trouble = ""  # what was told last
        self._refused = ""  # what is wrong with the settings that were to be read again
        self._told_to_stop = self._told_to_reload = False
        self._stop_by: float | None = None
        self._ticked = time.monotonic()

    @property
    def leads(self) -> bool:
        """Whether this daemon is the one that works."""
        return self._leadership is not None and self._leadership.lease is not None

    @property
    def at_work(self) -> tuple[ScheduledTime, ...]:
        """The slots that are worked on now."""
        return tuple(self._workers)

    def run(self) -> None:
        """Tick until SIGTERM or SIGINT; must be called in the main thread."""
        from apscheduler.executors.debug import DebugExecutor  # noqa: PLC0415 - only the loop needs it
        from apscheduler.schedulers.blocking import BlockingScheduler  # noqa: PLC0415

        # Everything happens in one thread: that executor runs a job where the scheduler is.
        ticker = BlockingScheduler(timezone=UTC, executors={"default": DebugExecutor()})

        over = threading.Event()

        def turn() -> None:
            if not self.tick():
                over.set()

        job = ticker.add_job(
            turn, _every_heartbeat(), next_run_time=datetime.now(UTC), misfire_grace_time=None, coalesce=True
        )
        guard = threading.Thread(target=self._guard, args=(ticker, job, over), name="guard", daemon=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        signal.signal(signal.SIGHUP, lambda *_: self.reload())
        log.info("The daemon is here: %s", self._holder, extra={"action": "start"})
        tell("READY=1")
        guard.start()
        try:
            ticker.start()
        finally:
            over.set()
            guard.join()
            self._close()

    def once(self) -> None:
        """Do what is due now, and come back.

        Raises:
            InvalidTransition: another daemon is at work.
            StoreError, DiskError: the database cannot be used.
        """
        try:
            while True:
                self._beat()
                if not self.leads:
                    other = self._leadership.who() if self._leadership else None
                    raise InvalidTransition(f"a daemon is at work already: {other.holder if other else 'unknown'}")
                self._next_look = None
                self._work()
                if self._told_to_stop or not (self._workers or self._reports):
                    return
                time.sleep(_BETWEEN)
        finally:
            self._close()

    def stop(self) -> None:
        """Begin nothing new, and end when what is under way is done or has had its time; heard at the next tick."""
        self._told_to_stop = True

    def reload(self) -> None:
        """Read the settings again at the next tick."""
        self._told_to_reload = True

    def tick(self) -> bool:
        """One turn: renew the lease, write down what ended, begin what is due; whether there is to be another."""
        self._ticked = time.monotonic()
        tell("WATCHDOG=1")
        if self._told_to_reload:
            self._told_to_reload = False
            self._reload()
        if self._told_to_stop and self._stop_by is None:
            tell("STOPPING=1")
            self._stop_by = self._ticked + self._house.settings.daemon.stop_timeout
            log.info("Told to stop; %d jobs under way", len(self._workers), extra={"action": "stop"})
        try:
            self._beat()
            self._work()
        except (StoreError, DiskError, SettingsError) as error:
            self._say(f"{error}; nothing is begun until this is over")
        except Exception as error:  # the loop goes on, can be stopped, and tells of it
            words = f"something went wrong that nobody foresaw: {type(error).__name__}: {redacted_error(error)}"[
                :MOST_WORDS
            ]
            if words != self._trouble:
                log.exception("Where it went wrong")
            self._say(words)
        else:
            self._say("")
        self._caretaker.turn(leads=self.leads and self._stop_by is None)
        self._alarm.turn(self._standing())
        if self._stop_by is None:
            return True
        return bool(self._workers or self._reports) and time.monotonic() < self._stop_by

    def _beat(self) -> None:
        """Renew the lease or try to take it; a daemon that was deposed drops its work.

        Raises:
            StoreError, DiskError: the database cannot be used.
        """
        if self._leadership is None:
            self._leadership = LeaderElection(store=self._house.store, clock=self._house.clock, holder=self._holder)
        before = self._led
        after = self._led = self._leadership.beat()
        if after != before:
            words = "This daemon leads"
            if not after:
                other = self._leadership.who()
                words = f"Another daemon leads, {other.holder if other else 'unknown'}; this one waits"
            log.info(words, extra={"action": "lease"})
            self._next_look = None
        if not after and (self._workers or self._reports):
            for worker in self._workers.values():
                worker.end(patience=_PATIENCE)
            self._workers.clear()
            self._reports.clear()

    def _work(self) -> None:
        """Look after the workers, and begin what is due.

        Raises:
            StoreError, DiskError: the database cannot be used; what ended is written down later.
        """
        for slot, worker in list(self._workers.items()):
            if (report := worker.look()) is not None:
                del self._workers[slot]
                self._reports.append((worker.claim, report))
        agenda = self._house.agenda
        while self._reports:
            claim, report = self._reports[0]
            settled = agenda.settle(claim, words=report.words, failed=report.failed, held=report.held)
            del self._reports[0]
            if claim.slot.job == "tidy":
                agenda.tidy()  # what became of slots long ago goes with the rest
            level = logging.WARNING if report.failed else logging.INFO
            state = "to be tried again" if settled.state is JobRunState.RETRY else settled.state
            log.log(level, "%s of %s is %s: %s", *_named(claim), state, report.words, extra=_keys(claim))
            self._next_look = None
        lease = self._leadership.lease if self._leadership else None
        if lease is None or self._told_to_stop or self._looked_lately():
            return
        try:
            claims = agenda.claim(lease, busy=self.at_work)
        except InvalidTransition:
            return  # deposed between two heartbeats; the next one tells
        for claim in claims:
            self._begin(claim)
        self._next_look = agenda.next_look()

    def _looked_lately(self) -> bool:
        """Whether it is not time to look yet; what lies further ahead than ever was planned by a clock that was ahead."""
        now = self._house.clock()
        return self._next_look is not None and now < self._next_look <= now + LOOK_AGAIN

    def _begin(self, claim: JobRun) -> None:
        settings = self._house.settings
        try:
            errand = self._house.errands.of(claim)
        except Exception as error:  # noqa: BLE001 - what is wrong with one job keeps no other from its work
            words = f"what is to be done cannot be seen: {redacted_error(error)}"[:MOST_WORDS]
            self._reports.append((claim, JobResult(words=words, failed=True)))
            return
        worker = JobProcess(
            claim,
            errand,
            folder=settings.home / "logs" / "jobs",
            deadline=settings.daemon.job_timeout,
            program=self._program,
        )
        self._workers[claim.slot] = worker
        if (report := worker.look()) is not None:
            del self._workers[claim.slot]
            self._reports.append((claim, report))
        else:
            log.info("%s of %s begins", *_named(claim), extra=_keys(claim))

    def _reload(self) -> None:
        """Read the settings again; wrong ones change nothing."""
        old = self._house
        try:
            settings = self._load()
        except AuriaError as error:
            log.error("The new settings are wrong, the old ones stay: %s", error, extra={"action": "reload"})  # noqa: TRY400
            self._refused = redacted_error(error)
            return
        self._refused = ""
        if self._leadership is not None and settings.database_url != old.settings.database_url:
            with contextlib.suppress(StoreError, DiskError):
                self._leadership.release()
            self._leadership = None
        self._caretaker.close()
        self._house = application.build(settings, clock=self._clock)
        self._caretaker = operations.caretaker(self._house, self._program)
        self._alarm.addresses = operations.addresses(settings)
        if self._leadership is not None:
            self._house.__dict__["store"] = self._leadership.store  # the connection and the lease stay
        else:
            old.close()
        telemetry.set_up(level=settings.logging.level, form=settings.logging.format)
        self._next_look = None
        log.info("The settings were read again", extra={"action": "reload"})

    def _standing(self) -> dict[str, str]:
        """What the operator must be told of although nothing can be written down."""
        found = {SETTINGS: self._refused} if self._refused else {}
        if self._trouble and self._led is not False:  # of two daemons, the one that waits says nothing
            found[DATABASE] = self._trouble
        return found

    def _say(self, trouble: str) -> None:
        """Log a trouble once, how it changes with less noise, and that it is over."""
        if trouble and trouble != self._trouble:
            log.log(logging.INFO if self._trouble else logging.ERROR, "%s", trouble, extra={"action": "trouble"})
        elif not trouble and self._trouble:
            log.info("All is well again", extra={"action": "trouble"})
            self._next_look = None
        self._trouble = trouble

    def _guard(self, ticker: Any, job: Any, over: threading.Event) -> None:
        """Have the next tick at once where it was put off, because somebody set the clock back; end the ticker when all is over.

        The ticker cannot be ended from within a tick.
        """
        while not over.wait(2 * HEARTBEAT):
            if time.monotonic() - self._ticked > 2 * HEARTBEAT:
                job.modify(next_run_time=datetime.now(UTC))
        if ticker.running:
            ticker.shutdown(wait=False)

    def _close(self) -> None:
        """End what is still at work, so that it is taken up again, and let go of the lease and the database."""
        for worker in self._workers.values():
            worker.end(patience=_PATIENCE)
        with contextlib.suppress(AuriaError):
            for claim, report in self._reports:
                self._house.agenda.settle(claim, words=report.words, failed=report.failed, held=report.held)
            for worker in self._workers.values():
                self._house.agenda.release(worker.claim, "broken off: the daemon was stopped")
            if self._leadership is not None:
                self._leadership.release()
        self._workers.clear()
        self._reports.clear()
        self._caretaker.close()
        self._alarm.close()
        self._house.close()
        log.info("The daemon is gone", extra={"action": "stop"})


def _every_heartbeat() -> Any:
    """When the next tick is: a heartbeat after this one, however far the clock was set forward meanwhile.

    The scheduler's own interval would count every tick that a leap of years left out.
    """
    from apscheduler.triggers.base import BaseTrigger  # noqa: PLC0415 - only the loop needs it

    class EveryHeartbeat(BaseTrigger):  # type: ignore[misc]  # it has no types
        def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
            return now + timedelta(seconds=HEARTBEAT)

    return EveryHeartbeat()


def _named(claim: JobRun) -> tuple[str, str]:
    return claim.slot.job, claim.slot.name


def _keys(claim: JobRun) -> dict[str, str]:
    """What a line of the log about a slot carries."""
    return {"action": "slot", "job": claim.slot.job, "slot": claim.slot.name}
