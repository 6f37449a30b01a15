"""A post can have its own time, and a draft its own text for a channel."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("posts", sa.Column("timed_at", sa.DateTime(timezone=True)))
    op.add_column("drafts", sa.Column("channel_texts", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("drafts", "channel_texts")
    op.drop_column("posts", "timed_at")
