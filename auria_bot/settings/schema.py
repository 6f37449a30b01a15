"""The sections of the settings, frozen: names, ranges and the code's defaults. Does not know where values come from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from auria_bot.domain.job_schedule import DAYS, PUBLISH, CatchUp, JobSchedule, times
from auria_bot.errors import InputError
from auria_bot.redaction import register_secret_address

__all__ = [
    "BackendSettings",
    "ChannelSettings",
    "CorpusSettings",
    "DaemonSettings",
    "DatabaseSettings",
    "HealthSettings",
    "JobSettings",
    "LearningSettings",
    "LoggingSettings",
    "NotifySettings",
    "PostingSettings",
    "RedditSettings",
    "ReviewSettings",
    "ScheduleSettings",
    "Section",
    "StudioSettings",
    "TrackingSettings",
    "UpkeepSettings",
]

_Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DATABASES = ("sqlite:///FILE", "postgresql://USER:PASSWORD@HOST/NAME")


class Section(BaseModel):
    """What every section has in common: frozen, and nothing in it that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_yes_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation in {int, float}:
            raise ValueError("it must be a number")
        return value


class DatabaseSettings(Section):
    """Where drafts and posts are kept."""

    url: SecretStr = SecretStr("")
    """sqlite:///FILE (seen from the home) or postgresql://...; empty is auria.db in the home."""
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
    """How the studio works."""

    count: int = Field(default=1, ge=1, le=1000)
    """Drafts a run makes."""
    candidates: int = Field(default=4, ge=1, le=64)
    """Pictures painted in a round; the best that passes the gate is taken."""
    rounds: int = Field(default=5, ge=1, le=50)
    """Rounds of painting before a poem is given up because the gate drops every picture."""
    size: int = Field(default=512, ge=64, le=4096)
    """The short side of the picture that is restyled, pixels."""
    recent: int = Field(default=30, ge=0, le=1000)
    """The latest drafts whose poems and styles are not repeated."""
    deadline: float = Field(default=180.0, gt=0, le=86_400)
    """Seconds that a step may take for one artwork."""
    deadlines: dict[str, Annotated[float, Field(gt=0, le=86_400)]] = Field(default_factory=dict)
    """The same for single steps, by the step's name."""
    memory_mb: int = Field(default=4096, ge=64, le=1_048_576)
    """Memory that the studio's process may hold, MiB."""


class BackendSettings(Section):
    """Who plays a role, and where."""

    backend: str = Field(min_length=1)
    """A name in the registry."""
    interpreter: Path | None = None
    """The Python of another virtual environment that runs the role's step."""
    options: dict[str, Any] = Field(default_factory=dict)
    """The backend's own options: the fields of its Config."""


class ReviewSettings(Section):
    """What the operator's review starts from."""

    signature: str = Field(default="— Auria", max_length=100)
    """The line under the poem in a post's text."""
    channels: tuple[str, ...] = ("folder",)
    """Where a draft goes when an approval names no channel."""


class ChannelSettings(Section):
    """A place where posts are published."""

    backend: str = Field(min_length=1)
    """A name in the registry."""
    vault: Literal["file", "keyring", "environment"] = "file"
    """Where its secrets are kept: in the home's folder `secrets`, in the system's keyring, or in AURIA_SECRET_ variables."""
    options: dict[str, Any] = Field(default_factory=dict)
    """The channel's own options: the fields of its Config."""


class TrackingSettings(Section):
    """How often platforms are asked what followers did."""

    calls: int = Field(default=400, ge=0, le=1_000_000)
    """The most that one channel is asked in 24 hours."""
    dollars: float = Field(default=0.25, ge=0, le=10_000)
    """The most, in US dollars, that one channel's calls may cost in 24 hours."""
    prices: dict[str, Annotated[float, Field(ge=0, le=100)]] = Field(default_factory=lambda: {"x": 0.001})
    """What a call costs in US dollars, by the channel's backend."""


class LearningSettings(Section):
    """How what followers love changes what Auria makes."""

    enabled: bool = True
    """Let moods and styles be chosen by what was loved."""
    share: float = Field(default=0.8, ge=0, le=1)
    """Of the artworks made without a wish, the most whose mood is chosen so."""
    explore: float = Field(default=0.2, ge=0.02, le=1)
    """How much of the chances is shared out equally among all moods."""
    half_life: float = Field(default=45.0, ge=1, le=3650)
    """Days after which an artwork's reception counts half."""


class RedditSettings(Section):
    """How Reddit is read."""

    user: str = ""
    """Your account's name, which Reddit wants in every request; nothing is done with the account itself."""
    address: str = "https://www.reddit.com"
    """Where tokens are given; plain http for this machine only."""
    oauth_address: str = "https://oauth.reddit.com"
    """Where everything else is asked for; plain http for this machine only."""
    timeout: float = Field(default=16.0, gt=0, le=600)
    """Seconds for an answer."""
    patience: float = Field(default=660.0, ge=0, le=86_400)
    """Seconds: the longest that Reddit may ask to be waited for, before a run ends and the next one goes on."""
    attempts: int = Field(default=5, ge=1, le=20)
    """How often a request is made whose answer does not come."""
    back_off: float = Field(default=2.0, ge=0, le=600)
    """Seconds before the second attempt, doubled before each further one."""
    overlap: float = Field(default=24.0, ge=0, le=720)
    """Hours that a listing is read further back than last time, for what moderators let through late."""
    searches: tuple[str, ...] = ("spring", "summer", "autumn", "winter", "moon", "rain", "snow", "blossom")
    """What is searched for with --listing search."""
    look_requests: int = Field(default=30, ge=0, le=100_000)
    """Requests of a run, a hundred posts each, that look whether known posts still stand."""


class CorpusSettings(Section):
    """What of strangers' verse may be learned from."""

    subreddits: tuple[str, ...] = ("haiku",)
    """The subreddits that are read where a command names none."""
    names: bool = False
    """Keep authors' names; else only a hash that a name can be forgotten by."""
    allow: tuple[str, ...] = ()
    """Words that are let pass though a list has them."""
    let_names_pass: bool = False
    """Keep poems that name persons."""
    least_english: float = Field(default=0.7, ge=0, le=1)
    """Share of a poem's words that must be English."""
    most_capitals: float = Field(default=0.6, ge=0, le=1)
    """Share of its letters that may be capitals."""
    most_repeated: float = Field(default=0.45, ge=0, le=1)
    """Share of its words that the commonest may be."""
    most_odd: float = Field(default=0.15, ge=0, le=1)
    """Share of its characters that may be neither letters, spaces nor common marks."""
    least_score: int | None = None
    """The least score of a post whose poem goes into a version; any score will do when not given."""
    reddit: RedditSettings = RedditSettings()


class JobSettings(Section):
    """When the daemon does a job."""

    at: tuple[str, ...] = ()
    """Times of your clock, "HH:MM", or "*:MM" for every hour; never when empty."""
    days: tuple[_Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    """On these days of the week."""
    catch_up: Literal["run", "skip", "ask"] = "run"
    """What becomes of a time that was missed: the latest is made up for, all are let go, or you are asked."""

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
    """Times of your clock; one post each."""
    catch_up: Literal["run", "skip", "ask"] = "skip"
    """What becomes of a time that was missed."""
    jitter: float = Field(default=0.0, ge=0, le=720)
    """Minutes that a post is put off by at the most, by chance."""


def _job(*at: str, **more: Any) -> Any:
    return Field(default_factory=lambda: JobSettings(at=at, **more))


class ScheduleSettings(Section):
    """What the daemon does when."""

    ahead: int = Field(default=3, ge=1, le=365)
    """Days that drafts are ready before they are needed."""
    low: int = Field(default=2, ge=0, le=365)
    """Days that approved drafts should last; below, you are told."""
    approve_after: float = Field(default=0.0, ge=0, le=8760)
    """Hours after which a draft that you did not decide on is approved; 0 is never."""
    grace: float = Field(default=60.0, ge=1, le=1440)
    """Minutes after which a time counts as missed."""
    make: JobSettings = _job("04:00")
    approve: JobSettings = _job("*:00", catch_up="skip")
    publish: PostingSettings = Field(default_factory=PostingSettings)
    channels: dict[str, PostingSettings] = Field(default_factory=dict)
    """Other times for single channels."""
    reconcile: JobSettings = _job("*:10", "*:25", "*:40", "*:55", catch_up="skip")
    measure: JobSettings = _job("*:20", catch_up="skip")
    refresh: JobSettings = _job()
    backup: JobSettings = _job("03:15")
    tidy: JobSettings = _job("03:45", catch_up="skip")
    digest: JobSettings = _job("08:00", catch_up="skip")

    def rules(self, channels: Iterable[str]) -> tuple[JobSchedule, ...]:
        """When each job is to be done; posting is a job of its own for each of these channels."""
        jobs = {
            "make": self.make,
            "reconcile": self.reconcile,
            "measure": self.measure,
            "refresh": self.refresh,
            "backup": self.backup,
            "tidy": self.tidy,
            "digest": self.digest,
        }
        if self.approve_after:
            jobs["approve"] = self.approve
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
    """How the daemon works."""

    deadline: float = Field(default=3600.0, gt=0, le=86_400)
    """Seconds that a job may take."""
    stop_after: float = Field(default=60.0, ge=0, le=3600)
    """Seconds that a job under way may still take when the daemon is told to stop."""


class NotifySettings(Section):
    """How the operator is told what matters."""

    addresses: tuple[SecretStr, ...] = ()
    """Apprise's addresses; each holds secrets."""
    quiet: tuple[
        Literal["draft_waiting", "stock_low", "token_expiring", "job_overdue", "disk_filling", "digest"], ...
    ] = ()
    """What is not told."""

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


class HealthSettings(Section):
    """Where the daemon tells how it is."""

    address: str = ""
    """HOST:PORT of /healthz and /metrics; empty for none."""

    @field_validator("address")
    @classmethod
    def _host_and_port(cls, address: str) -> str:
        match = re.fullmatch(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})", address)
        if address and (match is None or int(match[1]) > 65_535):
            raise ValueError('it must be HOST:PORT, such as "127.0.0.1:8610" or "[::1]:8610", or empty')
        return address


class UpkeepSettings(Section):
    """How house is kept."""

    backups: Path = Path("backups")
    """The folder of backups, seen from the home."""
    daily: int = Field(default=7, ge=1, le=3650)
    """Days of which the newest backup is kept."""
    weekly: int = Field(default=4, ge=0, le=520)
    """Weeks of which the newest backup is kept."""
    rejected_days: float = Field(default=30.0, ge=0, le=3650)
    """Days after which a rejected draft's pictures go."""
    runs_days: float = Field(default=14.0, ge=1, le=3650)
    """Days after which a run goes that nobody went on with."""
    free_mb: int = Field(default=2000, ge=0, le=100_000_000)
    """Free room on the disk, in MB, below which you are told."""
    programs: Path | None = None
    """The folder of PostgreSQL's pg_dump and pg_restore; the PATH when not given."""


class LoggingSettings(Section):
    """The log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important records that are written."""
    format: Literal["text", "json"] = "text"
    """The form of a record; either is one line."""
