"""The tables, as the newest migration leaves them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

from auria_bot.domain.draft import DraftState
from auria_bot.domain.engagement import COUNTS
from auria_bot.domain.job_schedule import JobRunState
from auria_bot.domain.post import Action, Outcome, PostState

__all__ = [
    "HEAD",
    "METADATA",
    "UtcTime",
    "accepted",
    "attempts",
    "audiences",
    "bookmarks",
    "channels",
    "corpora",
    "drafts",
    "journal",
    "leases",
    "notices",
    "posts",
    "ratings",
    "samples",
    "sightings",
    "slots",
    "steps",
    "tombstones",
    "verses",
]

HEAD = "0012"
"""The newest migration; stated here so that Alembic is imported only for a migration."""

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table; constraints are named so that migrations can refer to them."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time, stored in UTC: SQLite stores no zone, PostgreSQL returns the session's."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; refuse a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


# SQLite assigns ids only if the key's type is INTEGER.
_ID = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[int]:
    return Column("id", _ID, Identity(), primary_key=True)


def _one_of(column: str, values: type[Any]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(str(value)) for value in values)})", name=column)


drafts = Table(
    "drafts",
    METADATA,
    _id(),
    Column("version", Integer, nullable=False),
    Column("folder", String(200), nullable=False, unique=True),  # one draft per folder: a repeated insert finds it
    Column("state", String(20), nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("decided_at", UtcTime),
    Column("reason", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("alt_text", Text, nullable=False),
    Column("channels", JSON, nullable=False),
    Column("channel_texts", JSON, nullable=False, server_default="{}"),  # by the channels that have their own text
    Column("signature", String(64), nullable=False),
    Column("picture_sha256", String(64), nullable=False),
    Column("artwork", JSON, nullable=False),
    # Copied from the artwork for queries over all drafts.
    Column("mood", String(40), nullable=False),
    Column("style", String(200), nullable=False),
    Column("fingerprint", String(16), nullable=False),
    _one_of("state", DraftState),
    Index(None, "state", "id"),
)
"""Artworks under review."""

posts = Table(
    "posts",
    METADATA,
    _id(),
    Column("draft_id", _ID, ForeignKey("drafts.id"), nullable=False),
    Column("channel", String(100), nullable=False),
    Column("state", String(20), nullable=False),
    Column("due", UtcTime, nullable=False),
    Column("text", Text, nullable=False),
    Column("alt_text", Text, nullable=False),
    Column("picture", Text, nullable=False),  # relative to the home; absolute if it lies elsewhere
    Column("picture_sha256", String(64), nullable=False),
    Column("signature", String(64), nullable=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("fencing", Integer, nullable=False),
    Column("lease_until", UtcTime),
    Column("receipt_id", Text),
    Column("receipt_url", Text),
    Column("receipt_at", UtcTime),
    Column("words", Text, nullable=False),
    Column("memo", Text, nullable=False, server_default=""),
    Column("tried_at", UtcTime),  # when the last mutation was about to happen
    Column("lookups", Integer, nullable=False, server_default="0"),  # look-ups of its last attempt
    Column("receipt_cost", Float),  # US dollars
    Column("timed_at", UtcTime),  # the operator's time for this post alone
    Column("vanished_at", UtcTime),  # when a sent post was first missing from its platform
    Column("film", Text, nullable=False, server_default=""),  # as picture; "" for a post without a film
    Column("film_sha256", String(64), nullable=False, server_default=""),
    UniqueConstraint("draft_id", "channel"),
    _one_of("state", PostState),
    Index(None, "state", "due"),
)
"""One draft on one channel; UNIQUE (draft_id, channel) prevents a second post."""

attempts = Table(
    "attempts",
    METADATA,
    _id(),
    Column("post_id", _ID, ForeignKey("posts.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("fencing", Integer, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("outcome", String(20)),
    Column("words", Text, nullable=False),
    Column("memo", Text, nullable=False, server_default=""),
    Column("sending_at", UtcTime),  # when its mutation was about to happen; while null, nothing was sent
    Column("action", String(20), nullable=False, server_default="publish"),
    UniqueConstraint("post_id", "number"),
    _one_of("outcome", Outcome),
    _one_of("action", Action),
)
"""Attempts to publish or to withdraw a post; open while the outcome is null."""

channels = Table(
    "channels",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("paused_at", UtcTime),  # null if it is not paused
    Column("paused_by", String(100), nullable=False),  # "auria", or the operator's name
    Column("reason", Text, nullable=False),
)
"""Channels that were ever paused, and why."""

samples = Table(
    "samples",
    METADATA,
    _id(),
    Column("post_id", _ID, ForeignKey("posts.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    *(Column(name, Integer) for name in COUNTS),
    Index(None, "post_id", "at"),
)
"""Engagement counts of a post at a time; null if the platform does not report them."""

audiences = Table(
    "audiences",
    METADATA,
    _id(),
    Column("channel", String(100), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("followers", Integer),
    Index(None, "channel", "at"),
)
"""Follower counts of channels."""

journal = Table(
    "journal",
    METADATA,
    _id(),
    Column("at", UtcTime, nullable=False),
    Column("who", String(100), nullable=False),
    Column("action", String(40), nullable=False),
    Column("draft_id", _ID, ForeignKey("drafts.id")),
    Column("words", Text, nullable=False),
    Index(None, "draft_id"),
)
"""The operator's actions; rows are never changed."""

verses = Table(
    "verses",
    METADATA,
    _id(),
    # Of the normalised words: a poem is one row, whatever its source.
    Column("digest", String(32), nullable=False, unique=True),
    Column("state", String(10), nullable=False),
    Column("reason", String(40), nullable=False),  # why it was rejected
    Column("lines", Text, nullable=False),  # "" if the text is not kept, as of a rejected one after some days
    Column("syllables", String(40), nullable=False),  # of each line, separated by spaces
    Column("form", String(10), nullable=False),  # "575" or "free"
    Column("season", String(20), nullable=False),  # by its season words; "" if it has none
    # The best copy's provenance.
    Column("source", String(20), nullable=False),
    Column("origin", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("subreddit", String(100), nullable=False),
    Column("external_id", String(200), nullable=False),
    Column("created_at", UtcTime),
    Column("score", Integer),
    Column("author", Text, nullable=False),  # "" unless the operator asked for names
    Column("rejected_at", UtcTime),  # when the lines of a rejected text were stored; null when they are not
    CheckConstraint("state IN ('kept', 'rejected', 'forgotten')", name="state"),
    Index(None, "state", "id"),
)
"""Texts found, each once: kept poems, rejected texts with the reason, and forgotten ones."""

accepted = Table(
    "accepted",
    METADATA,
    Column("digest", String(32), primary_key=True),
    Column("reason", String(40), nullable=False),  # why it had been rejected
    Column("at", UtcTime, nullable=False),
)
"""Verses that the operator accepts although the filter rejects them."""

sightings = Table(
    "sightings",
    METADATA,
    Column("key", String(32), primary_key=True),  # hash of the source, such as a post's id
    Column("digest", String(32), primary_key=True),
    Column("author", String(32), nullable=False),  # hash of the author's name; "" if unknown
    Index(None, "digest"),
    Index(None, "author"),
)
"""Every source of a verse, so that a verse deleted there can be forgotten."""

tombstones = Table(
    "tombstones",
    METADATA,
    Column("key", String(32), primary_key=True),  # hash of a source or of an author's name
    Column("at", UtcTime, nullable=False),
)
"""Sources and authors that are never imported again."""

bookmarks = Table(
    "bookmarks",
    METADATA,
    Column("subreddit", String(100), primary_key=True),
    Column("listing", String(100), primary_key=True),
    Column("mark", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)
"""How far each Reddit listing was read."""

corpora = Table(
    "corpora",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("made_at", UtcTime, nullable=False),
    Column("verses", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("settings", JSON, nullable=False),
)
"""Versions of the corpus; their verses are in files."""

slots = Table(
    "slots",
    METADATA,
    Column("job", String(120), primary_key=True),
    Column("slot", String(20), primary_key=True),  # a local date and time
    Column("due", UtcTime, nullable=False),
    Column("state", String(10), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("fencing", Integer, nullable=False),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("again_at", UtcTime),
    Column("words", Text, nullable=False),
    _one_of("state", JobRunState),
    Index(None, "job", "due"),
    Index(None, "state"),
)
"""Job runs; the primary key prevents a second run of a slot."""

leases = Table(
    "leases",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("fencing", Integer, nullable=False),
    Column("until", UtcTime, nullable=False),
    Column("heartbeat", UtcTime, nullable=False),
)
"""Leases, such as the daemon's."""

notices = Table(
    "notices",
    METADATA,
    _id(),
    Column("kind", String(40), nullable=False),
    Column("subject", String(200), nullable=False),  # a draft's number, a channel's name ...
    Column("at", UtcTime, nullable=False),
    Column("title", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("picture", Text, nullable=False),  # like that of posts, or ""
    Column("tries", Integer, nullable=False),
    Column("next_at", UtcTime),  # when it is sent next; null once it is sent
    Column("told", JSON, nullable=False),  # hashes of the addresses that received it
    UniqueConstraint("kind", "subject"),
    Index(None, "next_at"),
)
"""Notices to the operator; UNIQUE (kind, subject) prevents a second one while the occasion lasts."""

steps = Table(
    "steps",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("seconds", Float, nullable=False),
    Column("times", Integer, nullable=False),
)
"""Total time of each step of the studio."""

ratings = Table(
    "ratings",
    METADATA,
    _id(),
    Column("at", UtcTime, nullable=False),
    Column("source", String(100), nullable=False),  # "page", or the name of a key
    Column("picture_sha256", String(64), nullable=False),
    Column("picture", Text, nullable=False),  # relative to the home; "" where it may not be kept
    Column("caption", String(500), nullable=False),
    Column("model_version", String(100), nullable=False),
    Column("model_sha256", String(64), nullable=False),
    Column("stars", Integer),
    Column("correction", Text, nullable=False),
    CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
    UniqueConstraint("picture_sha256", "caption", "source"),
)
"""Ratings of captions."""
