"""The daemon's health: whether work is overdue, and all metrics for Prometheus.

A daemon that runs but does nothing is not healthy: what counts is that the leader sends heartbeats, that no job's time
passed without a run, and that no post waits past its hour. All of it is read from the database, so any process can
report it, and a restart loses nothing.

The server answers /healthz and /metrics in a thread of its own. It asks for no password, reveals no secret, reads
nothing but the path, and is meant for this machine or a trusted network.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Protocol, Self

from auria_bot.domain.draft import DraftState
from auria_bot.domain.job_schedule import JobRunState
from auria_bot.domain.post import Outcome, PostState
from auria_bot.errors import AuriaError, SettingsError
from auria_bot.http_server import BoundedHTTPServer
from auria_bot.redaction import redacted_error
from auria_bot.telemetry import Sample, exposition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from auria_bot.domain.interfaces import Clock
    from auria_bot.domain.job_schedule import JobRun, JobSchedule
    from auria_bot.services.operations.supervision import SupervisedProcess
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = ["Health", "HealthReport", "HealthServer", "HealthSource"]


_LEASE = "daemon"  # the leader's lease
_SILENCE_LIMIT = timedelta(minutes=2)  # without a heartbeat, after which no daemon counts as running
_UNDONE = {JobRunState.RUNNING, JobRunState.RETRY, JobRunState.FAILED}
_EXTRA_PATIENCE = {"measure": timedelta(days=1), "reconcile": timedelta(days=1)}
"""How much longer jobs may fail that lose nothing by it: what is not measured or looked up today is tomorrow."""

_POST_LATE = timedelta(hours=2)  # that a post may wait past its hour before it is reported


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """Whether all is well, and what is not."""

    troubles: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Whether there is no trouble."""
        return not self.troubles


class Health:
    """The health of one application.

    Usage::

        health.report().troubles
        health.overdue()  # {"make": "it was due at 04:00 ..."}
        health.metrics()
    """

    def __init__(
        self,
        *,
        store: Callable[[], Store],
        clock: Clock,
        schedules: Sequence[JobSchedule] = (),
        zone: ZoneInfo,
        patience: timedelta,
        version: str = "",
    ) -> None:
        """`store` is called for each report; `patience` is how long a job may take past its grace."""
        self._store, self._clock, self._schedules, self._zone = store, clock, tuple(schedules), zone
        self._patience, self._version = patience, version
        self.beside: SupervisedProcess | None = None
        """The program that the daemon keeps running beside itself: the web server."""

    def report(self) -> HealthReport:
        """Whether all is well; a database that cannot be read is trouble, too."""
        try:
            with self._store().read() as unit:
                troubles = [*self._leader(unit), *self._late_posts(unit)]
                troubles += [f"the job {job!r} is overdue: {reason}" for job, reason in self._overdue(unit).items()]
        except AuriaError as error:
            troubles = [redacted_error(error)]
        if self.beside is not None and self.beside.trouble:
            troubles.append(self.beside.trouble)
        return HealthReport(troubles=tuple(troubles))

    def overdue(self) -> Mapping[str, str]:
        """Why each overdue job is so.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._store().read() as unit:
            return self._overdue(unit)

    def metrics(self) -> str:
        """All metrics in Prometheus' text format; where the database cannot be read, only that."""
        samples = [_sample("auria_info", 1, version=self._version)]
        samples.append(_sample("auria_healthy", self.report().is_well))
        if self.beside is not None:
            samples.append(_sample("auria_web_up", self.beside.is_running))
        try:
            with self._store().read() as unit:
                samples += [*self._counts(unit), *self._times(unit)]
            reached = 1
        except AuriaError:
            reached = 0
        samples.append(_sample("auria_database_up", reached))
        return exposition(samples)

    def _leader(self, unit: Unit) -> list[str]:
        lease = unit.leases.get(_LEASE)
        if lease is None:
            return ["no daemon has run yet; start one: auria daemon"]
        silence = unit.leases.time(self._clock()) - lease.heartbeat
        if abs(silence) <= _SILENCE_LIMIT:
            return []
        # A heartbeat in the future was sent before the clock was set back: a daemon that lives has sent others since.
        since = f"{lease.heartbeat:%Y-%m-%d %H:%M} UTC" if silence > timedelta(0) else "the clock was set back"
        return [f"no daemon has worked since {since}; start one: auria daemon"]

    def _late_posts(self, unit: Unit) -> list[str]:
        before = self._clock() - _POST_LATE
        return [
            f"a post on {channel} waits since {due:%Y-%m-%d %H:%M} UTC; see: auria posts"
            for channel, due in unit.metrics.due_since().items()
            if due < before
        ]

    def _overdue(self, unit: Unit) -> dict[str, str]:
        """Jobs whose last scheduled time passed without a run, and those that have failed for too long."""
        now = self._clock()
        latest, found = unit.job_runs.latest(until=now), dict[str, str]()
        undone: dict[str, list[JobRun]] = {}  # each job's runs since its last success, the latest first
        done = unit.job_runs.done_due()
        for run in unit.job_runs.list(_UNDONE, since=now - timedelta(days=9)):
            if run.slot.job not in done or run.slot.due > done[run.slot.job]:
                undone.setdefault(run.slot.job, []).append(run)
        for schedule in self._schedules:
            job, limit = schedule.job, now - schedule.grace - self._patience
            if job not in latest:
                continue  # its times do not count yet
            missed = next(schedule.slots(latest[job], limit, self._zone), None)
            runs = undone.get(job, [])
            if missed is not None:
                found[job] = f"it was due at {_shown(missed.due)} and was not started"
            elif runs and runs[0].state is JobRunState.FAILED and job not in _EXTRA_PATIENCE:
                found[job] = f"it was given up: {runs[0].summary}"
            elif runs and runs[-1].slot.due < limit - _EXTRA_PATIENCE.get(job, timedelta(0)):
                reason = next((run.summary for run in runs if run.summary), "it is running")
                found[job] = f"it was due at {_shown(runs[-1].slot.due)} and is not done: {reason}"
        return found

    def _counts(self, unit: Unit) -> list[Sample]:
        drafts, posts, attempts = unit.drafts.count(), unit.posts.count(), unit.metrics.attempts()
        channels, steps = sorted({name for name, _ in posts}), sorted(unit.metrics.steps().items())
        return [
            *(_sample("auria_step_seconds_total", seconds, step=step) for step, (seconds, _) in steps),
            *(_sample("auria_steps_total", times, step=step) for step, (_, times) in steps),
            *(_sample("auria_drafts", drafts.get(state, 0), state=state) for state in DraftState),
            *(
                _sample("auria_posts", posts.get((name, state), 0), channel=name, state=state)
                for name in channels
                for state in PostState
            ),
            *(
                _sample("auria_attempts_total", attempts.get((name, outcome), 0), channel=name, outcome=outcome)
                for name in channels
                for outcome in Outcome
            ),
            *(_sample("auria_channel_paused", 1, channel=pause.name) for pause in unit.channels.paused()),
        ]

    def _times(self, unit: Unit) -> list[Sample]:
        now, overdue = self._clock(), self._overdue(unit)
        found = [
            _sample("auria_queue_age_seconds", max(0.0, (now - due).total_seconds()), channel=name)
            for name, due in unit.metrics.due_since().items()
        ]
        found += [
            _sample("auria_job_last_success_timestamp_seconds", at.timestamp(), name=job)
            for job, at in sorted(unit.job_runs.done_at().items())
        ]
        found += [_sample("auria_job_overdue", rule.job in overdue, name=rule.job) for rule in self._schedules]
        if lease := unit.leases.get(_LEASE):
            found.append(_sample("auria_leader_heartbeat_timestamp_seconds", lease.heartbeat.timestamp()))
            found.append(_sample("auria_leader_changes_total", lease.fencing))
        return found


def _sample(metric: str, value: float, **labels: str) -> Sample:
    return Sample(metric=metric, labels={label: str(text) for label, text in labels.items()}, value=value)


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


_DEADLINE = 5.0  # seconds for a client to send its request and read the answer
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class HealthSource(Protocol):
    """Has a health and metrics: the daemon's `Health`, or the web server's."""

    def report(self) -> HealthReport:
        """Whether all is well; an error is trouble, too."""

    def metrics(self) -> str:
        """All metrics in Prometheus' text format."""


class HealthServer:
    """The endpoint; it answers from `start` to `stop`.

    Usage::

        with HealthServer(health, "127.0.0.1:8610") as server:
            print(server.url)
    """

    def __init__(self, source: HealthSource, address: str, *, setting: str = "health.address") -> None:
        """Set what is answered, and the address HOST:PORT of a setting, where port 0 is any free one."""
        self._source, self._address, self._setting = source, address, setting
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The server's address; "" while it does not answer."""
        return f"http://{self._address.rpartition(':')[0]}:{self._server.server_port}" if self._server else ""

    def start(self) -> None:
        """Answer from now on.

        Raises:
            SettingsError: the address is taken, or not one of this machine's.
        """
        host, _, port = self._address.rpartition(":")
        try:
            self._server = _Server((host.strip("[]"), int(port)), self._source)
        except (OSError, OverflowError) as error:
            raise SettingsError(
                f"{self._setting} {self._address!r} cannot be used: {error}; choose another port"
            ) from error
        threading.Thread(target=self._server.serve_forever, name="health-server", daemon=True).start()

    def stop(self) -> None:
        """Stop answering."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(BoundedHTTPServer):
    def __init__(self, address: tuple[str, int], source: HealthSource) -> None:
        self.source = source
        super().__init__(address, _Handler, deadline=_DEADLINE)


class _Handler(BaseHTTPRequestHandler):
    timeout = _DEADLINE
    server: _Server

    def version_string(self) -> str:
        return "Auria"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            report = self.server.source.report()
            self._answer(200 if report.is_well else 503, "\n".join(report.troubles or ("well",)) + "\n")
        elif path == "/metrics":
            self._answer(200, self.server.source.metrics())
        else:
            self._answer(404, "not found; try /healthz or /metrics\n")

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_: object) -> None:
        """Log no requests."""

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in (("Content-Type", _TEXT), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
