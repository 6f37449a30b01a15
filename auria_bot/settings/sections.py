"""The sections of the settings, frozen: names, types, ranges and the code's defaults."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from auria_bot.domain.job_schedule import DAYS, PUBLISH, CatchUp, JobSchedule, times
from auria_bot.domain.pipeline import STEPS
from auria_bot.errors import InputError
from auria_bot.redaction import register_secret_address

__all__ = [
    "BackendSettings",
    "ByStep",
    "ChannelSettings",
    "CorpusSettings",
    "DaemonSettings",
    "DatabaseSettings",
    "HealthSettings",
    "JobSettings",
    "LearningSettings",
    "LoggingSettings",
    "MaintenanceSettings",
    "NotifySettings",
    "PostingSettings",
    "RedditSettings",
    "ReviewSettings",
    "ScheduleSettings",
    "Section",
    "StudioSettings",
    "TrackingSettings",
    "host_and_port",
]

_Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DATABASES = ("sqlite:///FILE", "postgresql://USER:PASSWORD@HOST/NAME")


class Section(BaseModel):
    """Common to every section: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_boolean_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation in {int, float}:
            raise ValueError("it must be a number")
        return value


_Value = TypeVar("_Value")


def _known_steps(values: dict[str, _Value]) -> dict[str, _Value]:
    names = [step.name for step in STEPS]
    if unknown := sorted(values.keys() - set(names)):
        raise ValueError(f"there is no step {unknown[0][:40]!r}; steps: {', '.join(names)}")
    return values


ByStep = Annotated[dict[str, _Value], AfterValidator(_known_steps)]
"""Values by the names of steps; another name is an error."""


class DatabaseSettings(Section):
    """Where drafts and posts are kept."""

    url: SecretStr = SecretStr("")
    """sqlite:///FILE (relative to the home) or postgresql://...; empty means auria.db in the home."""
    echo: bool = False
    """Log every SQL statement."""

    @field_validator("url")
    @classmethod
    def _known_database(cls, url: SecretStr) -> SecretStr:
        scheme = url.get_secret_value().partition("://")[0].lower()
        if scheme not in {"", "sqlite", "postgres", "postgresql", "postgresql+psycopg"}:
            raise ValueError(f"it must look like {' or '.join(_DATABASES)}")
        return url


class StudioSettings(Section):
    """How artworks are made."""

    count: int = Field(default=1, ge=1, le=1000)
    """Drafts that one run makes."""
    candidates: int = Field(default=4, ge=1, le=64)
    """Pictures painted in each round; the best one that passes the safety filter is taken."""
    rounds: int = Field(default=5, ge=1, le=50)
    """Rounds of painting before a poem is given up because the safety filter rejects every picture."""
    size: int = Field(default=512, ge=64, le=4096)
    """Short side of the picture that is restyled, in pixels."""
    recent: int = Field(default=30, ge=0, le=1000)
    """Number of latest drafts whose poems and styles are not repeated."""
    deadline: float = Field(default=180.0, gt=0, le=86_400)
    """Time limit of a step for one artwork, in seconds."""
    deadlines: ByStep[Annotated[float, Field(gt=0, le=86_400)]] = Field(default_factory=dict)
    """Other time limits for single steps, by the step's name."""
    memory_mb: int = Field(default=4096, ge=64, le=1_048_576)
    """Memory limit of the studio's process, in MiB."""


class BackendSettings(Section):
    """The backend of a role, and the interpreter that runs it."""

    backend: str = Field(min_length=1)
    """Name of the backend in the registry."""
    interpreter: Path | None = None
    """Python of another virtual environment to run the role's step in."""
    options: dict[str, Any] = Field(default_factory=dict)
    """The backend's own options: the fields of its Config."""


class ReviewSettings(Section):
    """Defaults of the review."""

    signature: str = Field(default="— Auria", max_length=100)
    """Line under the poem in a post's text."""
    channels: tuple[str, ...] = ("folder",)
    """Channels of a draft whose approval names none."""


class ChannelSettings(Section):
    """A place where posts are published."""

    backend: str = Field(min_length=1)
    """Name of the backend in the registry."""
    keystore: Literal["file", "keyring", "environment"] = "file"
    """Where its secrets are kept: the home's folder `secrets`, the system's keyring, or AURIA_SECRET_ variables."""
    options: dict[str, Any] = Field(default_factory=dict)
    """The channel's own options: the fields of its Config."""


class TrackingSettings(Section):
    """Limits of the requests that measure engagement."""

    calls: int = Field(default=400, ge=0, le=1_000_000)
    """Most requests for each channel in 24 hours."""
    dollars: float = Field(default=0.25, ge=0, le=10_000)
    """Most that each channel's requests may cost in 24 hours, in US dollars."""
    prices: dict[str, Annotated[float, Field(ge=0, le=100)]] = Field(default_factory=lambda: {"x": 0.001})
    """Price of a request in US dollars, by the channel's backend."""


class LearningSettings(Section):
    """How engagement changes what is made."""

    enabled: bool = True
    """Choose moods and styles by past engagement."""
    share: float = Field(default=0.8, ge=0, le=1)
    """Largest share of the artworks without a requested mood whose mood is chosen so."""
    exploration: float = Field(default=0.2, ge=0.02, le=1)
    """Share of the probability that is spread equally over all moods."""
    half_life: float = Field(default=45.0, ge=1, le=3650)
    """Days after which an artwork's engagement counts half."""
    approvals: bool = True
    """Choose among painted candidates by your own approvals and rejections too."""


class RedditSettings(Section):
    """Access to Reddit."""

    user: str = ""
    """Your account's name, which Reddit requires in every request; the account itself is not used."""
    auth_url: str = "https://www.reddit.com"
    """Server that issues tokens; http is allowed for this machine only."""
    api_url: str = "https://oauth.reddit.com"
    """Server for all other requests; http is allowed for this machine only."""
    timeout: float = Field(default=16.0, gt=0, le=600)
    """Time-out of a request, in seconds."""
    max_wait: float = Field(default=660.0, ge=0, le=86_400)
    """Longest wait for Reddit's rate limit, in seconds; a run that would wait longer ends and continues next time."""
    attempts: int = Field(default=5, ge=1, le=20)
    """Attempts of a request that is not answered."""
    retry_delay: float = Field(default=2.0, ge=0, le=600)
    """Seconds before the second attempt, doubled with each further one."""
    overlap: float = Field(default=24.0, ge=0, le=720)
    """Hours that a listing is read past the last run's end, for posts that moderators approved late."""
    search_terms: tuple[str, ...] = ("spring", "summer", "autumn", "winter", "moon", "rain", "snow", "blossom")
    """Search terms of --listing search."""
    check_requests: int = Field(default=30, ge=0, le=100_000)
    """Requests of a run, a hundred posts each, that check whether known posts were deleted."""


class CorpusSettings(Section):
    """Which verse of other authors may be used for training."""

    subreddits: tuple[str, ...] = ("haiku",)
    """Subreddits that are read when a command names none."""
    keep_author_names: bool = False
    """Keep authors' names; otherwise only a hash is kept, by which an author can be forgotten."""
    allowed_words: tuple[str, ...] = ()
    """Words that are allowed although a block list has them."""
    allow_person_names: bool = False
    """Keep poems that name persons."""
    min_english: float = Field(default=0.7, ge=0, le=1)
    """Smallest share of English words in a poem."""
    max_capitals: float = Field(default=0.6, ge=0, le=1)
    """Largest share of capitals among its letters."""
    max_repetition: float = Field(default=0.45, ge=0, le=1)
    """Largest share of the most frequent word among its words."""
    max_symbols: float = Field(default=0.15, ge=0, le=1)
    """Largest share of characters that are neither letters, spaces nor common punctuation."""
    min_score: int | None = None
    """Smallest score of a post whose poem goes into a version; None for any."""
    keep_rejected_days: float = Field(default=14.0, ge=0, le=90)
    """Days for which the lines of rejected poems are kept, to be looked at and accepted; 0 for none."""
    reddit: RedditSettings = RedditSettings()


class JobSettings(Section):
    """When the daemon runs a job."""

    at: tuple[str, ...] = ()
    """Local times, "HH:MM", or "*:MM" for every hour; empty for never."""
    days: tuple[_Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    """Days of the week."""
    catch_up: Literal["run", "skip", "ask"] = "run"
    """Missed times: run the latest once, skip all, or ask the operator."""

    @field_validator("at")
    @classmethod
    def _times(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        try:
            times(entries)
        except InputError:
            raise ValueError('it must be times such as "18:30", or "*:15" for every hour') from None
        return entries


class PostingSettings(JobSettings):
    """When the daemon posts on a channel."""

    at: tuple[str, ...] = ("18:00",)
    """Local times; one post each."""
    catch_up: Literal["run", "skip", "ask"] = "skip"
    """Missed times: run the latest once, skip all, or ask the operator."""
    jitter: float = Field(default=0.0, ge=0, le=720)
    """Largest random delay of a post, in minutes."""


def _job(*at: str, **more: Any) -> Any:
    return Field(default_factory=lambda: JobSettings(at=at, **more))


class ScheduleSettings(Section):
    """The daemon's jobs."""

    days_ahead: int = Field(default=3, ge=1, le=365)
    """Days for which drafts are made in advance."""
    low_stock_days: int = Field(default=2, ge=0, le=365)
    """Days that approved drafts should last; with fewer the operator is notified."""
    approve_after: float = Field(default=0.0, ge=0, le=8760)
    """Hours after which a draft without a decision is approved; 0 for never."""
    grace: float = Field(default=60.0, ge=1, le=1440)
    """Minutes after which a scheduled time counts as missed."""
    make: JobSettings = _job("04:00")
    approve: JobSettings = _job("*:00", catch_up="skip")
    publish: PostingSettings = Field(default_factory=PostingSettings)
    channels: dict[str, PostingSettings] = Field(default_factory=dict)
    """Other posting times for single channels."""
    reconcile: JobSettings = _job("*:10", "*:25", "*:40", "*:55", catch_up="skip")
    measure: JobSettings = _job("*:20", catch_up="skip")
    refresh: JobSettings = _job()
    backup: JobSettings = _job("03:15")
    tidy: JobSettings = _job("03:45", catch_up="skip")
    digest: JobSettings = _job("08:00", catch_up="skip")
    retrain_poet: JobSettings = _job(catch_up="skip")
    retrain_captioner: JobSettings = _job(catch_up="skip")
    retrain_minutes: float = Field(default=45.0, gt=0, le=1440)
    """Longest time of one training, in minutes; keep it well under daemon.job_timeout."""
    retrain_growth: float = Field(default=0.1, ge=0, le=100)
    """Share by which the corpus must have grown before the poet is trained anew."""
    retrain_ratings: int = Field(default=25, ge=1, le=100_000)
    """Ratings that can be learnt from and were not learnt yet, before the captioner is trained anew."""

    def rules(self, channels: Iterable[str]) -> tuple[JobSchedule, ...]:
        """The schedule of each job; posting is a separate job for each of these channels."""
        jobs = {name.replace("_", "-"): job for name, job in self if type(job) is JobSettings}
        approve = jobs.pop("approve")
        if self.approve_after:
            jobs["approve"] = approve
        jobs |= {f"{PUBLISH}{name}": self.channels.get(name, self.publish) for name in channels}
        return tuple(
            JobSchedule(
                job=job,
                at=times(when.at),
                days=frozenset(DAYS.index(day) for day in when.days),
                catch_up=CatchUp(when.catch_up),
                grace=timedelta(minutes=self.grace),
                jitter=timedelta(minutes=when.jitter if isinstance(when, PostingSettings) else 0.0),
            )
            for job, when in jobs.items()
            if when.at and when.days
        )


class DaemonSettings(Section):
    """Time limits of the daemon."""

    job_timeout: float = Field(default=3600.0, gt=0, le=86_400)
    """Time limit of a job, in seconds."""
    stop_timeout: float = Field(default=60.0, ge=0, le=3600)
    """Seconds that a running job may still take when the daemon is stopped."""


class NotifySettings(Section):
    """Notifications of the operator."""

    addresses: tuple[SecretStr, ...] = ()
    """Apprise URLs; each contains secrets."""
    muted: tuple[
        Literal["draft_waiting", "stock_low", "token_expiring", "job_overdue", "disk_filling", "digest"], ...
    ] = ()
    """Kinds of notification that are not sent."""

    @field_validator("addresses", mode="before")
    @classmethod
    def _also_one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("addresses")
    @classmethod
    def _guarded(cls, addresses: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for address in addresses:
            register_secret_address(address.get_secret_value())
        return addresses


def host_and_port(address: str) -> str:
    """An address as it is; "" for none.

    Raises:
        ValueError: it is not HOST:PORT.
    """
    match = re.fullmatch(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})", address)
    if address and (match is None or int(match[1]) > 65_535):
        raise ValueError('it must be HOST:PORT, such as "127.0.0.1:8610" or "[::1]:8610", or empty')
    return address


class HealthSettings(Section):
    """The daemon's health endpoint."""

    address: Annotated[str, AfterValidator(host_and_port)] = ""
    """HOST:PORT that serves /healthz and /metrics; empty for none."""


class MaintenanceSettings(Section):
    """Backups and cleanup."""

    backup_folder: Path = Path("backups")
    """Folder of backups, relative to the home."""
    daily_backups: int = Field(default=7, ge=1, le=3650)
    """Number of days for which the newest backup is kept."""
    weekly_backups: int = Field(default=4, ge=0, le=520)
    """Number of weeks for which the newest backup is kept."""
    backup_models: Literal["in-service", "all", "none"] = "in-service"
    """Of which trained versions a backup holds the files; it holds the figures, hashes and promotions of all."""
    rejected_days: float = Field(default=30.0, ge=0, le=3650)
    """Days after which a rejected draft's pictures are deleted."""
    unfinished_days: float = Field(default=14.0, ge=1, le=3650)
    """Days after which a run that was never finished is deleted."""
    min_free_mb: int = Field(default=2000, ge=0, le=100_000_000)
    """Free disk space, in MB, below which the operator is notified."""
    postgres_programs: Path | None = None
    """Folder of pg_dump and pg_restore; None searches the PATH."""


class LoggingSettings(Section):
    """The log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level that is written."""
    format: Literal["text", "json"] = "text"
    """Format of a record; one line in either."""
