"""Drafts, posts, attempts and the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON()
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("folder", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("decided_at", TIME),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("alt_text", sa.Text(), nullable=False),
        sa.Column("channels", JSON, nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
        sa.Column("picture_sha256", sa.String(64), nullable=False),
        sa.Column("artwork", JSON, nullable=False),
        sa.Column("mood", sa.String(40), nullable=False),
        sa.Column("style", sa.String(200), nullable=False),
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.CheckConstraint("state IN ('made', 'approved', 'rejected', 'scheduled')", name=op.f("ck_drafts_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sa.UniqueConstraint("folder", name=op.f("uq_drafts_folder")),
    )
    op.create_index(op.f("ix_drafts_state_id"), "drafts", ["state", "id"])
    op.create_table(
        "posts",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("draft_id", KEY, nullable=False),
        sa.Column("channel", sa.String(100), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("alt_text", sa.Text(), nullable=False),
        sa.Column("picture", sa.Text(), nullable=False),
        sa.Column("picture_sha256", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("fencing", sa.Integer(), nullable=False),
        sa.Column("lease_until", TIME),
        sa.Column("receipt_id", sa.Text()),
        sa.Column("receipt_url", sa.Text()),
        sa.Column("receipt_at", TIME),
        sa.Column("words", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'unknown', 'sent', 'failed', 'needs_attention')",
            name=op.f("ck_posts_state"),
        ),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_posts_draft_id_drafts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
        sa.UniqueConstraint("draft_id", "channel", name=op.f("uq_posts_draft_id_channel")),
        sa.UniqueConstraint("key", name=op.f("uq_posts_key")),
    )
    op.create_index(op.f("ix_posts_state_due"), "posts", ["state", "due"])
    op.create_table(
        "attempts",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("post_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fencing", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("outcome", sa.String(20)),
        sa.Column("words", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('sent', 'refused', 'throttled', 'unauthorised', 'unclear', 'abandoned')",
            name=op.f("ck_attempts_outcome"),
        ),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_attempts_post_id_posts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("post_id", "number", name=op.f("uq_attempts_post_id_number")),
    )
    op.create_table(
        "journal",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("draft_id", KEY),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_journal_draft_id_drafts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    op.create_index(op.f("ix_journal_draft_id"), "journal", ["draft_id"])


def downgrade() -> None:
    for table in ("journal", "attempts", "posts", "drafts"):
        op.drop_table(table)
