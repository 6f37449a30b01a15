"""Joins the concrete classes: settings in, the application out. The one place that knows them all.

Nothing is opened or imported before it is used: `build(settings).studio` connects to the database, and imports no
model. Knows no command and no page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from auria_bot.errors import SettingsError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auria_bot.corpus.quality_filter import FilterRules
    from auria_bot.corpus.sources.reddit import Reddit
    from auria_bot.domain.interfaces import Channel, Secrets
    from auria_bot.secret_store import SecretStore
    from auria_bot.services.corpus.corpus_import import CorpusImporter
    from auria_bot.services.corpus.corpus_versions import VersionBuilder
    from auria_bot.services.corpus.deletion_check import DeletionChecker
    from auria_bot.services.corpus.reddit_sync import SubredditSync
    from auria_bot.services.engagement.preferences import PreferenceModel
    from auria_bot.services.engagement.report import EngagementReporter
    from auria_bot.services.engagement.tracker import Tracker
    from auria_bot.services.publishing.publisher import Publisher
    from auria_bot.services.schedule.job_scheduler import JobScheduler
    from auria_bot.services.schedule.jobs import JobPlanner
    from auria_bot.services.studio.plan import BackendSpec
    from auria_bot.services.studio.review import Review
    from auria_bot.services.studio.run_store import RunStore
    from auria_bot.services.studio.studio import Studio
    from auria_bot.settings.schema import Settings
    from auria_bot.settings.sections import BackendSettings, ChannelSettings
    from auria_bot.store.files import Pictures
    from auria_bot.store.unit_of_work import Store

__all__ = ["Application", "build"]


def build(settings: Settings, *, clock: Callable[[], datetime] | None = None) -> Application:
    """The application of these settings.

    Usage::

        auria = build(settings.load())
        made = auria.studio.make(ArtworkRequest(theme="autumn rain"))
        auria.review.approve([draft.id for draft in made.drafts])
        auria.publisher.publish()
    """
    return Application(settings=settings, clock=clock or _now)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Application:
    """Every service, made on first use."""

    settings: Settings
    clock: Callable[[], datetime]

    @cached_property
    def store(self) -> Store:
        """The database, brought up to date.

        Raises:
            StoreError: it cannot be used.
            DiskError: its file cannot be written.
        """
        from auria_bot.store.unit_of_work import Store

        return Store.open(self.settings)

    @cached_property
    def pictures(self) -> Pictures:
        """The pictures of the drafts."""
        from auria_bot.store.files import Pictures

        return Pictures(self.settings.home)

    @cached_property
    def runs(self) -> RunStore:
        """The studio's unfinished runs."""
        from auria_bot.services.studio.run_store import RunStore

        return RunStore(self.settings.home / "studio")

    @cached_property
    def studio(self) -> Studio:
        """Makes drafts."""
        from auria_bot.domain.pipeline import ROLES
        from auria_bot.execution.local import ChildProcessExecutor, ResourceLimits
        from auria_bot.services.studio.plan import StudioConfig
        from auria_bot.services.studio.studio import Studio

        chosen = self.settings.studio
        config = StudioConfig(
            backends={role: self.backend_spec(role) for role in ROLES},
            shared_options=self._shared_options(),
            candidates=chosen.candidates,
            rounds=chosen.rounds,
            size=chosen.size,
            recent=chosen.recent,
            hemisphere=self.settings.hemisphere,
            deadline=chosen.deadline,
            deadlines=dict(chosen.deadlines),
        )
        return Studio(
            config=config,
            store=self.store,
            pictures=self.pictures,
            runs=self.runs,
            executor=ChildProcessExecutor(ResourceLimits(memory=chosen.memory_mb << 20)),
            clock=self.clock,
            faults=self._faults,
            preferences=self.moods,
        )

    def backend_spec(self, role: str) -> BackendSpec:
        """The backend that the settings choose for a role."""
        from auria_bot.domain.pipeline import settings_section
        from auria_bot.services.studio.plan import BackendSpec

        chosen: BackendSettings = getattr(self.settings, settings_section(role))
        return BackendSpec(
            name=chosen.backend,
            options=dict(chosen.options),
            models=str(self.settings.models_folder),
            python=str(chosen.interpreter or ""),
        )

    @cached_property
    def review(self) -> Review:
        """What the operator does with drafts."""
        from auria_bot.services.studio.review import Review

        return Review(
            store=self.store,
            studio=self.studio,
            clock=self.clock,
            channels=tuple(self.settings.channels),
            usual=self.settings.review.channels,
            faults=self._faults,
        )

    @cached_property
    def publisher(self) -> Publisher:
        """Carries approved drafts to the channels."""
        from auria_bot.services.publishing.publisher import Publisher

        return Publisher(
            store=self.store, pictures=self.pictures, clock=self.clock, channels=self.channels, faults=self._faults
        )

    @cached_property
    def tracker(self) -> Tracker:
        """Measures what is out."""
        from auria_bot.services.engagement.tracker import Tracker

        chosen = self.settings.tracking
        prices = {name: chosen.prices.get(one.backend, 0.0) for name, one in self.settings.channels.items()}
        return Tracker(
            store=self.store,
            channels=self.channels,
            clock=self.clock,
            calls=chosen.calls,
            dollars=chosen.dollars,
            prices=prices,
        )

    @cached_property
    def statistics(self) -> EngagementReporter:
        """Tells what followers did, by post, channel, mood, style and time."""
        from zoneinfo import ZoneInfo

        from auria_bot.services.engagement.report import EngagementReporter

        return EngagementReporter(store=self.store, zone=ZoneInfo(self.settings.time_zone))

    @cached_property
    def moods(self) -> PreferenceModel:
        """Tells what followers' deeds make Auria lean to."""
        from auria_bot.services.engagement.preferences import PreferenceModel

        chosen = self.settings.learning
        return PreferenceModel(
            store=self.store,
            half_life=timedelta(days=chosen.half_life),
            enabled=chosen.enabled,
            share=chosen.share,
            explore=chosen.exploration,
        )

    @cached_property
    def librarian(self) -> CorpusImporter:
        """Takes verse into the corpus, and forgets."""
        from auria_bot.services.corpus.corpus_import import CorpusImporter

        return CorpusImporter(
            store=self.store, clock=self.clock, rules=self._rules(), names=self.settings.corpus.keep_author_names
        )

    @cached_property
    def press(self) -> VersionBuilder:
        """Makes versions of the corpus."""
        from auria_bot.services.corpus.corpus_versions import VersionBuilder

        return VersionBuilder(
            store=self.store,
            clock=self.clock,
            folder=self.settings.home / "corpus",
            rules=self._rules(),
            least_score=self.settings.corpus.min_score,
        )

    @cached_property
    def reddit(self) -> Reddit:
        """Reddit, read only; nothing is asked before it is used."""
        from auria_bot.corpus.sources.reddit import Access, Reddit

        chosen = self.settings.corpus.reddit
        access = Access(
            user=chosen.user,
            auth_url=chosen.auth_url,
            api_url=chosen.api_url,
            timeout=chosen.timeout,
            max_wait=chosen.max_wait,
            attempts=chosen.attempts,
            retry_delay=chosen.retry_delay,
        )
        return Reddit(access, self.vault("reddit"))

    @cached_property
    def gleaner(self) -> SubredditSync:
        """Reads what is new on Reddit."""
        from auria_bot.services.corpus.reddit_sync import SubredditSync

        return SubredditSync(
            pages=self.reddit,
            store=self.store,
            librarian=self.librarian,
            clock=self.clock,
            overlap=self.settings.corpus.reddit.overlap * 3600,
        )

    @cached_property
    def vigil(self) -> DeletionChecker:
        """Looks whether known posts still stand."""
        from auria_bot.services.corpus.deletion_check import DeletionChecker

        return DeletionChecker(posts=self.reddit, store=self.store, clock=self.clock)

    def _rules(self) -> FilterRules:
        """What verse may be learned from."""
        from auria_bot.corpus.language.words import words
        from auria_bot.corpus.quality_filter import FilterRules

        chosen = self.settings.corpus
        return FilterRules(
            least_english=chosen.min_english,
            most_capitals=chosen.max_capitals,
            most_repeated=chosen.max_repetition,
            most_odd=chosen.max_symbols,
            names=chosen.allow_person_names,
            allow=frozenset(" ".join(words(phrase)) for phrase in chosen.allowed_words),
        )

    @cached_property
    def job_scheduler(self) -> JobScheduler:
        """Says what is due."""
        from zoneinfo import ZoneInfo

        from auria_bot.services.schedule.job_scheduler import JobScheduler

        schedules = self.settings.schedule.rules(self.settings.channels)
        return JobScheduler(
            store=self.store, clock=self.clock, schedules=schedules, zone=ZoneInfo(self.settings.time_zone)
        )

    @cached_property
    def job_planner(self) -> JobPlanner:
        """Says what is to be done for what is due."""
        from auria_bot.services.operations.maintenance import disk_space_at
        from auria_bot.services.schedule.jobs import JobPlanner, per_day

        chosen, least_free = self.settings.schedule, self.settings.maintenance.min_free_mb * 1_000_000
        return JobPlanner(
            store=self.store,
            clock=self.clock,
            unfinished=self.runs.names,
            per_day=per_day(chosen.rules(self.settings.channels)),
            ahead=chosen.days_ahead,
            low=chosen.low_stock_days,
            approve_after=timedelta(hours=chosen.approve_after) if chosen.approve_after else None,
            disk_space=partial(disk_space_at, self.settings.home, least_free=least_free),
        )

    @cached_property
    def channels(self) -> Mapping[str, Callable[[], Channel]]:
        """Every channel by the operator's name for it; constructed when called, once."""
        return {name: _Once(partial(self._channel, name)) for name in self.settings.channels}

    def close(self) -> None:
        """Let go of the database."""
        if "store" in self.__dict__:
            self.store.close()

    def _shared_options(self) -> dict[str, Any]:
        """Options for every backend whose Config has such a field."""
        banks = self.settings.home / "styles"
        return {
            "language": self.settings.language,
            "signature": self.settings.review.signature,
            "banks": [str(path) for path in sorted(banks.iterdir()) if path.is_dir()] if banks.is_dir() else [],
            "cache": str(self.settings.home / "cache" / "compiled"),
        }

    def vault(self, name: str, *, place: str | None = None) -> SecretStore:
        """The secrets of a channel, kept in this place, or where its settings say."""
        from auria_bot.secret_store import SecretStore

        chosen = self.settings.channels.get(name)
        return SecretStore(self.settings.home, name, place=place or (chosen.keystore if chosen else "file"))

    def channel(self, name: str, chosen: ChannelSettings, secrets: Secrets) -> Channel:
        """Construct a channel from these settings and secrets, which need not be those in force.

        Raises:
            SettingsError: no such backend, or an option it does not have.
            BackendMissing: its package is not installed.
        """
        from auria_bot import registry
        from auria_bot.settings.options import configure

        try:
            kind = registry.find("channel", chosen.backend)
        except UnknownName as error:
            raise SettingsError(f"channels.{name}.backend: {error}") from None
        config = configure(f"channels.{name}", kind, chosen.options, {"name": name})
        made: Channel = kind(config, home=self.settings.home, secrets=secrets)
        return made

    def _channel(self, name: str) -> Channel:
        return self.channel(name, self.settings.channels[name], self.vault(name))

    def _faults(self, text: str) -> list[str]:
        """Why a text of the operator's must not be used; names of persons may stand in it."""
        from auria_bot.corpus.language.content_filter import faults

        # The poet's list forbids the word, since a poem should not be about itself; posts and their tags may say it.
        return faults(re.sub(r"\bhaikus?\b", "verse", text, flags=re.IGNORECASE), names=False)


class _Once:
    """Calls a function the first time only."""

    def __init__(self, make: Callable[[], Channel]) -> None:
        self._make = make
        self._made: Channel | None = None

    def __call__(self) -> Channel:
        if self._made is None:
            self._made = self._make()
        return self._made
