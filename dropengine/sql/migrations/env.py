"""What Alembic runs: within the transaction of whoever migrates, on the connection handed in."""

from __future__ import annotations

from alembic import context

from dropengine.sql.schema import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    # SQLite changes a column by copying its table.
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
