"""Runs the migrations on the connection that the program (or the developer's command) hands over."""

from alembic import context

from antema.storage.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
