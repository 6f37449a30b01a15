"""The schedule: what became of the slots of each job, and who may work on them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "slots",
        sa.Column("job", sa.String(120), nullable=False),
        sa.Column("slot", sa.String(20), nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("fencing", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("ended_at", TIME),
        sa.Column("again_at", TIME),
        sa.Column("words", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'retry', 'asked', 'done', 'failed', 'skipped')", name=op.f("ck_slots_state")
        ),
        sa.PrimaryKeyConstraint("job", "slot", name=op.f("pk_slots")),
    )
    op.create_index(op.f("ix_slots_job_due"), "slots", ["job", "due"])
    op.create_index(op.f("ix_slots_state"), "slots", ["state"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("fencing", sa.Integer(), nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("heartbeat", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )


def downgrade() -> None:
    op.drop_table("leases")
    op.drop_table("slots")
