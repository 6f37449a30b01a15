"""Posts can be cancelled and withdrawn; an attempt says whether it tries to publish or to withdraw.

A downgrade keeps what an older program must know: a post that is out, or may be, is sent; every other one has failed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATES = ("waiting", "sending", "unknown", "sent", "failed", "needs_attention")
NEW_STATES = ("cancelled", "withdrawing", "withdrawn")
OUTCOMES = ("sent", "refused", "throttled", "unauthorised", "unclear", "abandoned", "broken")


def upgrade() -> None:
    op.add_column("attempts", sa.Column("action", sa.String(20), nullable=False, server_default="publish"))
    with op.batch_alter_table("attempts") as table:
        _replace_check(table, "ck_attempts_outcome", "outcome", (*OUTCOMES, "withdrawn"))
        table.create_check_constraint(op.f("ck_attempts_action"), "action IN ('publish', 'withdraw')")
    with op.batch_alter_table("posts") as table:
        _replace_check(table, "ck_posts_state", "state", (*STATES, *NEW_STATES))


def downgrade() -> None:
    op.execute("DELETE FROM attempts WHERE action = 'withdraw'")
    op.execute("UPDATE posts SET state = 'needs_attention' WHERE state = 'withdrawing' AND receipt_id IS NULL")
    op.execute("UPDATE posts SET state = 'sent' WHERE state = 'withdrawing'")
    op.execute("UPDATE posts SET state = 'failed' WHERE state IN ('cancelled', 'withdrawn')")
    with op.batch_alter_table("posts") as table:
        _replace_check(table, "ck_posts_state", "state", STATES)
    with op.batch_alter_table("attempts") as table:
        table.drop_constraint(op.f("ck_attempts_action"), type_="check")
        _replace_check(table, "ck_attempts_outcome", "outcome", OUTCOMES)
        table.drop_column("action")


def _replace_check(table: object, name: str, column: str, values: tuple[str, ...]) -> None:
    """Change the values that a column may have; SQLite has to copy the table for it."""
    table.drop_constraint(op.f(name), type_="check")
    table.create_check_constraint(op.f(name), f"{column} IN ({', '.join(map(repr, values))})")
