"""Ratings of captions."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ratings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("picture_sha256", sa.String(64), nullable=False),
        sa.Column("picture", sa.Text(), nullable=False),
        sa.Column("caption", sa.String(500), nullable=False),
        sa.Column("model_version", sa.String(100), nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("stars", sa.Integer()),
        sa.Column("correction", sa.Text(), nullable=False),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_ratings_stars")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ratings")),
        sa.UniqueConstraint(
            "picture_sha256", "caption", "source", name=op.f("uq_ratings_picture_sha256_caption_source")
        ),
    )


def downgrade() -> None:
    op.drop_table("ratings")
