"""The corpus: verses, where they were met, what is forgotten, how far was read, and its versions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "verses",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("syllables", sa.String(40), nullable=False),
        sa.Column("form", sa.String(10), nullable=False),
        sa.Column("season", sa.String(20), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("subreddit", sa.String(100), nullable=False),
        sa.Column("external_id", sa.String(200), nullable=False),
        sa.Column("created_at", TIME),
        sa.Column("score", sa.Integer()),
        sa.Column("author", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('kept', 'rejected', 'forgotten')", name=op.f("ck_verses_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verses")),
        sa.UniqueConstraint("digest", name=op.f("uq_verses_digest")),
    )
    op.create_index(op.f("ix_verses_state_id"), "verses", ["state", "id"])
    op.create_table(
        "sightings",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("author", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("key", "digest", name=op.f("pk_sightings")),
    )
    op.create_index(op.f("ix_sightings_digest"), "sightings", ["digest"])
    op.create_index(op.f("ix_sightings_author"), "sightings", ["author"])
    op.create_table(
        "tombstones",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tombstones")),
    )
    op.create_table(
        "bookmarks",
        sa.Column("subreddit", sa.String(100), nullable=False),
        sa.Column("listing", sa.String(100), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("subreddit", "listing", name=op.f("pk_bookmarks")),
    )
    op.create_table(
        "corpora",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("verses", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_corpora")),
    )


def downgrade() -> None:
    for table in ("corpora", "bookmarks", "tombstones", "sightings", "verses"):
        op.drop_table(table)
