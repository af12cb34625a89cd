"""Run by Alembic: steps are applied in the transaction of the connection that the caller gives."""

from alembic import context

from autolog_core.stores.sql.versions import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    # SQLite's DDL is transactional; Alembic assumes the contrary for drivers that hide it.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
