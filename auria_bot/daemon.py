"""The unattended loop: renews the lease, starts a process for each job that is due, and survives outages.

What ran is recorded in the table of job runs, and who may run it in the lease; so a daemon may be killed at any moment
and another continues. SIGTERM and SIGINT let running jobs finish for a while and start nothing new; SIGHUP reads the
settings again, and keeps the old ones where the new ones are wrong. While the database is unreachable nothing is
started.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import time
from typing import TYPE_CHECKING

from auria_bot import telemetry
from auria_bot.bootstrap import application
from auria_bot.domain.job_schedule import JobRunState
from auria_bot.errors import AuriaError, DiskError, InvalidTransition, SettingsError, StoreError
from auria_bot.redaction import redacted_error
from auria_bot.services.operations.monitoring import DATABASE, SETTINGS
from auria_bot.services.operations.supervision import SupervisedProcess
from auria_bot.services.schedule.job_scheduler import HEARTBEAT, LeaderElection, own_name
from auria_bot.services.schedule.jobs import PROGRAM, JobOutcome, JobProcess, JobResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.job_schedule import JobRun, ScheduledTime
    from auria_bot.services.schedule.wake_ups import WakeUps
    from auria_bot.settings.schema import Settings

__all__ = ["Daemon", "notify_service_manager"]

log = logging.getLogger(__name__)

_POLL = 0.2  # seconds between two looks of `once`
_PATIENCE = 5.0  # seconds that a command has to end in order


class Daemon:
    """Runs the scheduled jobs.

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
        web: bool = False,
    ) -> None:
        """Read the settings; nothing is opened yet.

        Args:
            program: how `auria` is run.
            holder: this daemon's unique name.
            web: keep the web server running, too, whether this daemon leads or not.

        Raises:
            SettingsError: a setting is wrong.
        """
        self._load, self._clock, self._program = load, clock, tuple(program)
        self._holder = holder or own_name()
        self._app: Application = application.build(load(), clock=clock)
        self._web = SupervisedProcess("the web server", [*self._program, "web"]) if web else None
        self._health_monitor = self._app.health_monitor(self._program, web=self._web)
        self._outage_alerter = self._app.outage_alerter(self._program)
        self._election: LeaderElection | None = None
        self._wake_ups: WakeUps | None = None  # while `run` runs
        self._processes: dict[ScheduledTime, JobProcess] = {}
        self._results: list[tuple[JobRun, JobResult]] = []  # not yet recorded
        self._is_dispatch_due = True
        self._led: bool | None = None  # as of the last heartbeat
        self._trouble = ""  # what keeps it from working, as last logged
        self._settings_error = ""  # why the new settings are not used
        self._stop_requested = self._reload_requested = False
        self._stop_by: float | None = None  # on the monotonic clock

    @property
    def leads(self) -> bool:
        """Whether this daemon is the one that works."""
        return self._election is not None and self._election.lease is not None

    @property
    def running(self) -> tuple[ScheduledTime, ...]:
        """The scheduled times whose jobs run now."""
        return tuple(self._processes)

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; must be called in the main thread."""
        from auria_bot.services.schedule.wake_ups import WakeUps  # noqa: PLC0415 - only the loop needs APScheduler

        self._wake_ups = WakeUps(heartbeat=self.heartbeat, dispatch=self.dispatch, every=HEARTBEAT)
        self._plan_wake_ups()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        signal.signal(signal.SIGHUP, lambda *_: self.reload())
        log.info("The daemon starts as %s", self._holder, extra={"action": "start"})
        notify_service_manager("READY=1")
        try:
            self._wake_ups.run()
        finally:
            self._close()

    def once(self) -> None:
        """Run what is due now, and return.

        Raises:
            InvalidTransition: another daemon leads.
            StoreError, DiskError: the database cannot be used.
        """
        try:
            while True:
                self._renew_lease()
                if not self.leads:
                    other = self._election.current() if self._election else None
                    raise InvalidTransition(f"another daemon is running: {other.holder if other else 'unknown'}")
                self._collect_results()
                self._start_due()
                if self._stop_requested or not (self._processes or self._results):
                    return
                time.sleep(_POLL)
        finally:
            self._close()

    def stop(self) -> None:
        """Start nothing new from the next heartbeat on, and end when running jobs are done or have had their time."""
        self._stop_requested = True

    def reload(self) -> None:
        """Read the settings again at the next heartbeat."""
        self._reload_requested = True

    def dispatch(self) -> bool:
        """A heartbeat that starts what is due, too; whether the daemon goes on."""
        self._is_dispatch_due = True
        return self.heartbeat()

    def heartbeat(self) -> bool:
        """Renew the lease and record the results of jobs that ended; whether the daemon goes on.

        What is due is started where something has happened that may make it so: the lease was taken, a job ended, the
        settings changed, or the last attempt failed.
        """
        notify_service_manager("WATCHDOG=1")
        if self._reload_requested:
            self._reload_requested = False
            self._reload()
        if self._stop_requested and self._stop_by is None:
            notify_service_manager("STOPPING=1")
            self._stop_by = time.monotonic() + self._app.settings.daemon.stop_timeout
            log.info("Stopping; %d jobs are running", len(self._processes), extra={"action": "stop"})
        try:
            self._renew_lease()
            self._collect_results()
            if self._is_dispatch_due:
                self._is_dispatch_due = not self._start_due()
        except (StoreError, DiskError, SettingsError) as error:
            self._log_trouble(f"{error}; nothing is started until this is over")
        except Exception as error:  # the loop goes on and can be stopped
            trouble = f"an unexpected error: {type(error).__name__}: {redacted_error(error)}"[:500]
            if trouble != self._trouble:
                log.exception("The daemon met an unexpected error")
            self._log_trouble(trouble)
        else:
            self._log_trouble("")
        if self._web is not None and self._stop_by is None:
            self._web.turn()
        self._health_monitor.turn(leads=self.leads and self._stop_by is None)
        self._outage_alerter.turn(self._outages())
        if self._stop_by is None:
            return True
        return bool(self._processes or self._results) and time.monotonic() < self._stop_by

    def _renew_lease(self) -> None:
        """Renew the lease or try to take it; a daemon that lost it drops its work.

        Raises:
            StoreError, DiskError: the database cannot be used.
        """
        if self._election is None:
            self._election = LeaderElection(store=self._app.store, clock=self._app.clock, holder=self._holder)
        before = self._led
        after = self._led = self._election.heartbeat()
        if after != before:
            message = "This daemon leads"
            if not after:
                other = self._election.current()
                message = f"Another daemon leads, {other.holder if other else 'unknown'}; this one waits"
            log.info(message, extra={"action": "lease"})
            self._is_dispatch_due = True
        if not after and (self._processes or self._results):
            for process in self._processes.values():
                process.stop(patience=_PATIENCE)
            self._processes.clear()
            self._results.clear()

    def _collect_results(self) -> None:
        """Record the results of jobs that ended.

        Raises:
            StoreError, DiskError: the database cannot be used; what is left is recorded later.
        """
        for scheduled, process in list(self._processes.items()):
            if (result := process.poll()) is not None:
                del self._processes[scheduled]
                self._results.append((process.run, result))
        scheduler = self._app.job_scheduler
        while self._results:
            run, result = self._results[0]
            recorded = scheduler.settle(run, result)
            del self._results[0]
            self._is_dispatch_due = True
            if run.slot.job == "tidy":
                scheduler.forget_old()
            retry = recorded.state is JobRunState.RETRY
            level = logging.WARNING if result.outcome is JobOutcome.FAILED else logging.INFO
            state = "to be retried" if retry else recorded.state
            log.log(level, "%s of %s is %s: %s", *_name(run), state, result.summary, extra=_log_keys(run))
            if retry and recorded.again_at and self._wake_ups:
                self._wake_ups.at(f"retry {run.slot.job}", recorded.again_at)

    def _start_due(self) -> bool:
        """Claim and start what is due, if this daemon leads; whether it does.

        Raises:
            StoreError, DiskError: the database cannot be used.
        """
        lease = self._election.lease if self._election else None
        if lease is None or self._stop_requested:
            return False
        try:
            runs = self._app.job_scheduler.claim(lease, busy=self.running)
        except InvalidTransition:
            return False  # lost the lease between two heartbeats; the next one notices
        for run in runs:
            self._start(run)
        return True

    def _start(self, run: JobRun) -> None:
        settings = self._app.settings
        try:
            plan = self._app.job_planner.plan(run)
        except Exception as error:  # noqa: BLE001 - an error in one job's data keeps no other from its work
            summary = f"what is to be done cannot be determined: {redacted_error(error)}"
            self._results.append((run, JobResult.printable(JobOutcome.FAILED, summary)))
            return
        process = JobProcess(
            run,
            plan,
            folder=settings.home / "logs" / "jobs",
            deadline=settings.daemon.job_timeout,
            program=self._program,
        )
        if (result := process.poll()) is not None:
            self._results.append((run, result))
        else:
            self._processes[run.slot] = process
            log.info("%s of %s starts", *_name(run), extra=_log_keys(run))

    def _plan_wake_ups(self) -> None:
        if self._wake_ups is not None:
            scheduler = self._app.job_scheduler
            self._wake_ups.plan(scheduler.schedules.values(), scheduler.zone)

    def _reload(self) -> None:
        """Read the settings again; wrong ones change nothing."""
        old = self._app
        try:
            settings = self._load()
        except AuriaError as error:
            message = "The new settings are wrong, the old ones stay in use: %s"
            log.error(message, error, extra={"action": "reload"})  # noqa: TRY400 - its traceback would help nobody
            self._settings_error = redacted_error(error)
            return
        self._settings_error = ""
        if self._election is not None and settings.database_url != old.settings.database_url:
            with contextlib.suppress(StoreError, DiskError):
                self._election.release()
            self._election = None
        self._health_monitor.close()
        store = self._election.store if self._election is not None else None  # the connection and the lease stay
        self._app = application.build(settings, clock=self._clock, store=store)
        self._health_monitor = self._app.health_monitor(self._program, web=self._web)
        if self._web is not None and settings != old.settings:
            self._web.restart()  # after the lease was renewed: it may take nearly as long as the lease lasts
        self._outage_alerter.addresses = self._app.notification_urls
        if store is None:
            old.close()
        telemetry.set_up(level=settings.logging.level, form=settings.logging.format)
        self._is_dispatch_due = True
        self._plan_wake_ups()
        log.info("The settings were read again", extra={"action": "reload"})

    def _outages(self) -> dict[str, str]:
        """What the operator must be alerted of although nothing can be recorded."""
        found = {SETTINGS: self._settings_error} if self._settings_error else {}
        if self._trouble and self._led is not False:  # of two daemons, the one that waits alerts nobody
            found[DATABASE] = self._trouble
        return found

    def _log_trouble(self, trouble: str) -> None:
        """Log trouble once, its changes at a lower level, and its end."""
        if trouble and trouble != self._trouble:
            log.log(logging.INFO if self._trouble else logging.ERROR, "%s", trouble, extra={"action": "trouble"})
        elif not trouble and self._trouble:
            log.info("The trouble is over", extra={"action": "trouble"})
            self._is_dispatch_due = True
        self._trouble = trouble

    def _close(self) -> None:
        """Stop what still runs, so that it is started again, and release the lease and the database."""
        if self._web is not None:
            self._web.close()
        for process in self._processes.values():
            process.stop(patience=_PATIENCE)
        with contextlib.suppress(AuriaError):
            for run, result in self._results:
                self._app.job_scheduler.settle(run, result)
            for process in self._processes.values():
                self._app.job_scheduler.release(process.run, "interrupted: the daemon was stopped")
            if self._election is not None:
                self._election.release()
        self._processes.clear()
        self._results.clear()
        self._health_monitor.close()
        self._outage_alerter.close()
        self._app.close()
        log.info("The daemon has ended", extra={"action": "stop"})


def _name(run: JobRun) -> tuple[str, str]:
    return run.slot.job, run.slot.name


def _log_keys(run: JobRun) -> dict[str, str]:
    """The extra fields of a log line about a run."""
    return {"action": "job", "job": run.slot.job, "slot": run.slot.name}


def notify_service_manager(state: str) -> bool:
    """Send a state, such as "READY=1", as systemd's sd_notify does; whether a service manager was there to take it."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return False
    # An abstract socket's name begins with a zero byte, which the variable cannot hold.
    address = "\0" + place[1:] if place.startswith("@") else place
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(state.encode(), address)
        return True
    return False
