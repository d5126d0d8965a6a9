"""Run by alembic with the connection that `migrate` gives it."""

from alembic import context

from streamserver.kit.sql import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
