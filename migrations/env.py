"""Runs the migrations on the connection that auria_bot.store.engine hands over, inside its transaction."""

from alembic import context

from auria_bot.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite too: the store begins its transactions itself
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
