"""Rejected texts: their lines are kept for some days, and the operator may accept them for good."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("verses", sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "accepted",
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_accepted")),
    )


def downgrade() -> None:
    op.execute("UPDATE verses SET lines = '', syllables = '', form = '', season = '' WHERE state = 'rejected'")
    op.drop_table("accepted")
    op.drop_column("verses", "rejected_at")
