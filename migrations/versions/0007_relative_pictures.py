"""Picture paths are stored relative to the home, so that posts survive a move of the home.

A path that ends in pictures/FOLDER/FILE, where FOLDER is a draft's, becomes that relative path, whatever home it was written
in; any other path stays absolute. A downgrade leaves them relative: an older program resolves them against its working directory.
"""

from pathlib import PurePosixPath

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    folders = set(connection.execute(sa.text("SELECT folder FROM drafts")).scalars())
    for table in ("posts", "notices"):
        rows = connection.execute(sa.text(f"SELECT id, picture FROM {table} WHERE picture <> ''")).all()  # noqa: S608 - see above
        for row_id, picture in rows:
            parts = PurePosixPath(picture.replace("\\", "/")).parts[-3:]
            if len(parts) == 3 and parts[0] == "pictures" and parts[1] in folders:
                change = sa.text(f"UPDATE {table} SET picture = :picture WHERE id = :id")  # noqa: S608 - see above
                connection.execute(change, {"picture": "/".join(parts), "id": row_id})


def downgrade() -> None:
    """Nothing to do: the paths are texts in both versions."""
