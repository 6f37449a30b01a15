"""A post can hold a film."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("posts", sa.Column("film", sa.Text(), nullable=False, server_default=""))
    op.add_column("posts", sa.Column("film_sha256", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("posts", "film_sha256")
    op.drop_column("posts", "film")
