"""What publishing remembers of an attempt, paused channels, and what followers did.

An attempt from before did not say whether it had come to its mutation: wherever it may have, it counts as if it had.
A post that waited for good credentials waits in the queue now, and its channel is paused instead.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
OUTCOMES = "outcome IN ('sent', 'refused', 'throttled', 'unauthorised', 'unclear', 'abandoned'{})"
COUNTS = ("likes", "reposts", "replies", "quotes", "saves", "views")


def upgrade() -> None:
    op.add_column("posts", sa.Column("memo", sa.Text(), nullable=False, server_default=""))
    op.add_column("posts", sa.Column("tried_at", TIME))
    op.add_column("posts", sa.Column("lookups", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("posts", sa.Column("receipt_cost", sa.Float()))
    op.add_column("posts", sa.Column("vanished_at", TIME))
    op.add_column("attempts", sa.Column("memo", sa.Text(), nullable=False, server_default=""))
    op.add_column("attempts", sa.Column("sending_at", TIME))
    _allow_outcomes(", 'broken'")
    op.create_table(
        "channels",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("paused_at", TIME),
        sa.Column("paused_by", sa.String(100), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_channels")),
    )
    op.create_table(
        "samples",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("post_id", KEY, nullable=False),
        sa.Column("at", TIME, nullable=False),
        *(sa.Column(name, sa.Integer()) for name in COUNTS),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_samples_post_id_posts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_samples")),
    )
    op.create_index(op.f("ix_samples_post_id_at"), "samples", ["post_id", "at"])
    op.create_table(
        "audiences",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("channel", sa.String(100), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("followers", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audiences")),
    )
    op.create_index(op.f("ix_audiences_channel_at"), "audiences", ["channel", "at"])
    _carry_over()


def downgrade() -> None:
    for table in ("audiences", "samples", "channels"):
        op.drop_table(table)
    op.execute("UPDATE attempts SET outcome = 'abandoned' WHERE outcome = 'broken'")
    _allow_outcomes("")
    for table, columns in (
        ("attempts", ("sending_at", "memo")),
        ("posts", ("vanished_at", "receipt_cost", "lookups", "tried_at", "memo")),
    ):
        for column in columns:
            op.drop_column(table, column)


def _allow_outcomes(more: str) -> None:
    """Change the outcomes that an attempt may have; SQLite has to copy the table for it."""
    with op.batch_alter_table("attempts") as table:
        table.drop_constraint(op.f("ck_attempts_outcome"), type_="check")
        table.create_check_constraint(op.f("ck_attempts_outcome"), OUTCOMES.format(more))


def _carry_over() -> None:
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "UPDATE attempts SET sending_at = started_at"
            " WHERE outcome IS NULL OR outcome IN ('sent', 'unclear', 'abandoned')"
        )
    )
    connection.execute(
        sa.text("UPDATE posts SET tried_at = (SELECT max(a.sending_at) FROM attempts a WHERE a.post_id = posts.id)")
    )
    paused = connection.execute(
        sa.text(
            "SELECT p.id, p.channel, p.words, coalesce(a.ended_at, a.started_at) FROM posts p JOIN attempts a ON a.post_id = p.id"
            " WHERE p.state = 'needs_attention' AND a.outcome = 'unauthorised'"
            " AND a.number = (SELECT max(b.number) FROM attempts b WHERE b.post_id = p.id) ORDER BY p.id"
        )
    ).all()
    for post_id, channel, words, at in paused:
        resume = f"then: `auria channels resume {channel}`"
        connection.execute(sa.text("UPDATE posts SET state = 'waiting' WHERE id = :id"), {"id": post_id})
        connection.execute(
            sa.text(
                "INSERT INTO channels (name, paused_at, paused_by, reason)"
                " SELECT :name, :at, 'auria', :reason WHERE NOT EXISTS (SELECT 1 FROM channels WHERE name = :name)"
            ).bindparams(sa.bindparam("name", type_=sa.String()), sa.bindparam("reason", type_=sa.String())),
            {"name": channel, "at": at, "reason": words.replace("`auria publish` goes on by itself", resume)},
        )
    stuck = connection.execute(
        sa.text(
            "SELECT id, words FROM posts WHERE state = 'needs_attention' AND words LIKE '%auria publish --decide %'"
        )
    ).all()
    for post_id, words in stuck:
        newer = re.sub(
            r"auria publish --decide (\d+) [a-z|]+",
            r"auria posts resolve \1 --sent URL | --not-sent | --give-up",
            words,
        )
        connection.execute(sa.text("UPDATE posts SET words = :words WHERE id = :id"), {"id": post_id, "words": newer})
