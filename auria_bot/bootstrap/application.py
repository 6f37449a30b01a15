"""The application: all services of some settings, each constructed on first use.

Each module of this package composes one or two packages of services, this one the schedule and operations; nothing is
opened or imported before it is used, and no service imports a model.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from auria_bot import __version__
from auria_bot.bootstrap.captions import CaptionServices
from auria_bot.bootstrap.corpus import CorpusServices
from auria_bot.bootstrap.films import FilmServices
from auria_bot.bootstrap.studio import StudioServices
from auria_bot.bootstrap.web import WebServices
from auria_bot.errors import AuriaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from auria_bot.domain.interfaces import Channel
    from auria_bot.domain.post import Pause
    from auria_bot.services.operations.backups import Backups
    from auria_bot.services.operations.database import DatabaseAdministration
    from auria_bot.services.operations.doctor import Doctor
    from auria_bot.services.operations.health import Health
    from auria_bot.services.operations.maintenance import Erasure, Maintenance
    from auria_bot.services.operations.monitoring import AppriseNotifier, HealthMonitor, OutageAlerter
    from auria_bot.services.operations.notices import Notices
    from auria_bot.services.operations.supervision import SupervisedProcess
    from auria_bot.services.operations.webhooks import Webhooks
    from auria_bot.services.publishing.calendar import PublishingCalendar
    from auria_bot.services.schedule.job_scheduler import JobScheduler
    from auria_bot.services.schedule.jobs import JobPlanner
    from auria_bot.services.visitors.studio import VisitorStudio
    from auria_bot.settings.schema import Settings
    from auria_bot.store.dump import Dump
    from auria_bot.store.unit_of_work import Store

__all__ = ["Application", "OperationsServices", "build", "doctor", "open_channels"]

_SOON = timedelta(days=7)  # before a token expires; it should have been renewed earlier


class OperationsServices(StudioServices):
    """The schedule, backups, maintenance, notifications and health."""

    @cached_property
    def job_scheduler(self) -> JobScheduler:
        """Decides which jobs are due, and records their runs."""
        return self.job_scheduler_as("")

    def job_scheduler_as(self, who: str) -> JobScheduler:
        """The same, for an operator whom the journal names."""
        from auria_bot.services.schedule.job_scheduler import JobScheduler

        return JobScheduler(
            store=self.store_as(who),
            clock=self.clock,
            schedules=self.settings.schedule.rules(self.settings.channels),
            zone=self.zone,
        )

    @cached_property
    def publishing_calendar(self) -> PublishingCalendar:
        """What was published, and what will be, by day."""
        from auria_bot.services.publishing.calendar import PublishingCalendar

        return PublishingCalendar(
            store=self.store, clock=self.clock, zone=self.zone, upcoming=self.job_scheduler.upcoming
        )

    @cached_property
    def job_planner(self) -> JobPlanner:
        """Decides what a due job has to do."""
        from auria_bot.services.schedule.jobs import JobPlanner, per_day

        chosen = self.settings.schedule
        limit = ("--minutes", f"{chosen.retrain_minutes:g}", "--json")
        return JobPlanner(
            store=self.store,
            clock=self.clock,
            unfinished=self.runs.names,
            per_day=per_day(chosen.rules(self.settings.channels)),
            ahead=chosen.days_ahead,
            low=chosen.low_stock_days,
            approve_after=timedelta(hours=chosen.approve_after) if chosen.approve_after else None,
            disk_space=self.maintenance.disk_space,
            more={
                "retrain-poet": ("train", "poet", "--if-grown", f"{chosen.retrain_growth:.4f}", *limit),
                "retrain-captioner": (
                    *("train", "captioner", "--with-ratings", "--if-rated", str(chosen.retrain_ratings)),
                    *limit,
                ),
            },
        )

    @cached_property
    def dump(self) -> Dump:
        """Copies and restores the database, which need not be intact."""
        from auria_bot.store.dump import Dump

        return Dump(self.settings.database_url, programs=self.settings.maintenance.postgres_programs)

    @cached_property
    def backups(self) -> Backups:
        """Backups of the database and its files; the database need not be intact."""
        from auria_bot.services.operations.backup_contents import ModelFiles
        from auria_bot.services.operations.backups import Backups

        chosen = self.settings.maintenance
        return Backups(
            home=self.settings.home,
            folder=self.settings.home / chosen.backup_folder.expanduser(),
            database=self.dump,
            clock=self.clock,
            daily=chosen.daily_backups,
            weekly=chosen.weekly_backups,
            models=ModelFiles(chosen.backup_models),
        )

    @cached_property
    def erasure(self) -> Erasure:
        """Finds forgotten texts in backups, and rewrites these without them."""
        from auria_bot.services.operations.maintenance import Erasure
        from auria_bot.store.unit_of_work import Store

        return Erasure(
            home=self.settings.home,
            backups=self.backups,
            database=self.dump,
            open_store=lambda: Store.open(self.settings),
        )

    @cached_property
    def database_administration(self) -> DatabaseAdministration:
        """Backs the database up, restores it and reads its journal."""
        from auria_bot.services.operations.database import DatabaseAdministration
        from auria_bot.store.unit_of_work import Store

        return DatabaseAdministration(
            settings=self.settings,
            backups=self.backups,
            erasure=self.erasure,
            open_store=lambda: Store.open(self.settings),
            pictures=self.pictures,
            settle_models=self.settle_models,
            clock=self.clock,
        )

    @cached_property
    def maintenance(self) -> Maintenance:
        """Deletes what is old, checks what is stored, and watches the free disk space."""
        from auria_bot.services.operations.maintenance import Maintenance

        chosen = self.settings.maintenance
        return Maintenance(
            home=self.settings.home,
            store=self.store,
            pictures=self.pictures,
            copies=self.picture_copies,
            workspace=self.runs,
            database=self.dump,
            clock=self.clock,
            rejected_days=chosen.rejected_days,
            runs_days=chosen.unfinished_days,
            texts_days=self.settings.corpus.keep_rejected_days,
            least_free=chosen.min_free_mb * 1_000_000,
        )

    @property
    def notification_urls(self) -> tuple[str, ...]:
        """Apprise URLs of the operator; they contain secrets."""
        return tuple(url.get_secret_value() for url in self.settings.notify.addresses)

    @cached_property
    def notifier(self) -> AppriseNotifier | None:
        """Sends notifications; None without URLs."""
        from auria_bot.services.operations.monitoring import AppriseNotifier

        return AppriseNotifier(self.notification_urls) if self.notification_urls else None

    @cached_property
    def notices(self) -> Notices:
        """Decides what the operator is notified of, and sends it."""
        return self.notices_as("")

    def notices_as(self, who: str) -> Notices:
        """The same, for an operator whom the journal names."""
        from auria_bot.services.operations.monitoring import LogNotifier
        from auria_bot.services.operations.notices import Notices, Sources

        sources = Sources(
            inventory=self.job_planner.inventory,
            disk_space=self.maintenance.disk_space,
            overdue=self.health.overdue,
            missed=self.job_scheduler.asked,
            expiring=self.expiring_tokens,
            picture=self.pictures.path,
        )
        return Notices(
            store=self.store_as(who),
            notifier=self.notifier or LogNotifier(),
            clock=self.clock,
            zone=self.zone,
            sources=sources,
            muted=self.settings.notify.muted,
        )

    @cached_property
    def webhooks(self) -> Webhooks:
        """Tells programs of events."""
        from auria_bot.services.operations.webhooks import SECRET, Hook, Webhooks

        hooks = {
            name: Hook(
                name=name,
                url=hook.url,
                events=frozenset(hook.events),
                allow_private=hook.allow_private,
                secret=partial(self.secret_store(f"webhook-{name}").get, SECRET),
            )
            for name, hook in self.settings.web.webhooks.items()
        }
        return Webhooks(store=self.store, clock=self.clock, hooks=hooks, site=self.public_url)

    @cached_property
    def health(self) -> Health:
        """Reports the daemon's health, also while the database is unreachable."""
        from auria_bot.services.operations.health import Health

        return Health(
            store=lambda: self.store,
            clock=self.clock,
            schedules=self.settings.schedule.rules(self.settings.channels),
            zone=self.zone,
            patience=timedelta(seconds=self.settings.daemon.job_timeout),
            version=__version__,
        )

    def health_monitor(self, program: Sequence[str], *, web: SupervisedProcess | None = None) -> HealthMonitor:
        """The daemon's watch over health and notifications, which are sent by this program in a child process.

        `web` is the web server that the daemon keeps running.
        """
        from auria_bot.services.operations.health import HealthServer
        from auria_bot.services.operations.monitoring import HealthMonitor

        self.health.beside = web
        address = self.settings.health.address
        server = HealthServer(self.health, address) if address else None
        return HealthMonitor(
            notices=lambda: self.notices,
            server=server,
            program=program,
            webhooks=lambda: self.webhooks if self.settings.web.webhooks else None,
        )

    def outage_alerter(self, program: Sequence[str]) -> OutageAlerter:
        """Notifies the operator while database or settings cannot be used."""
        from auria_bot.services.operations.monitoring import OutageAlerter

        return OutageAlerter(addresses=self.notification_urls, program=program)

    def expiring_tokens(self) -> Mapping[str, str]:
        """For each channel whose token expires soon, the date; channels that cannot tell are left out."""
        found = {}
        for name, channel in self.channels.items():
            try:
                ends = getattr(channel(), "expires", lambda: None)()
            except AuriaError:
                continue  # reported elsewhere
            if ends is not None and ends - self.clock() < _SOON:
                found[name] = f"{ends:%Y-%m-%d}"
        return found


class Application(OperationsServices, CorpusServices, WebServices, CaptionServices, FilmServices):
    """Every service."""

    @cached_property
    def visitor_studio(self) -> VisitorStudio:
        """Makes artworks for visitors of the web site, while nothing else works."""
        from auria_bot.services.studio.run_store import RunStore
        from auria_bot.services.visitors.limits import DailyLimits
        from auria_bot.services.visitors.studio import VisitorPolicy, VisitorStudio
        from auria_bot.services.visitors.works import VisitorWorks

        web, config, root = self.settings.web, self.studio_config, self.settings.home / "visitors"
        faults = partial(self.unfit_words, names=True)
        policy = VisitorPolicy(
            queue=web.studio_queue,
            days=web.studio_days,
            kept=web.studio_kept,
            is_busy=lambda: self.runs.is_busy() or self.job_scheduler.is_working(),
            has_room=lambda: not self.maintenance.disk_space().filling,
            faults=faults,
        )
        return VisitorStudio(
            policy=policy,
            works=VisitorWorks(root),
            limits=DailyLimits(per_address=web.studio_per_visitor, per_day=web.studio_per_day, clock=self.clock),
            planner=self._planner(config, faults),
            runs=RunStore(root / ".runs"),
            executor=self.executor,
            config=config,
            store=self.store,
            pictures=self.pictures,
            clock=self.clock,
        )


def build(
    settings: Settings, *, clock: Callable[[], datetime] | None = None, store: Store | None = None
) -> Application:
    """The application of these settings.

    Usage::

        app = build(load())
        made = app.studio.make(ArtworkRequest(theme="autumn rain"))
        app.review.approve([draft.id for draft in made.drafts])
        app.publisher.publish()

    By default the clock is the system's, and the settings' database is opened on first use.
    """
    return Application(settings, clock=clock, store=store)


def doctor() -> Doctor:
    """Checks the installation; the settings are read when it runs, because they may be wrong."""
    from auria_bot.services.operations.doctor import Doctor
    from auria_bot.settings import loading

    return Doctor(load=loading.load, open_channels=open_channels, try_cluster=_try_cluster, try_storage=_try_storage)


def _try_cluster(settings: Settings) -> None:
    with contextlib.closing(build(settings)) as app:
        app.try_executor()


def _try_storage(settings: Settings) -> None:
    with contextlib.closing(build(settings)) as app:
        if app.bucket is not None:
            app.bucket.check()


@contextlib.contextmanager
def open_channels(
    settings: Settings,
) -> Iterator[tuple[Mapping[str, Callable[[], Channel]], Callable[[], Sequence[Pause]]]]:
    """The channels of some settings, and a function that lists the paused ones, which opens the database."""
    with contextlib.closing(build(settings)) as app:
        yield app.channels, lambda: app.publisher.paused()  # noqa: PLW0108 - the publisher opens the database
