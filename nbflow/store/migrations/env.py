"""Runs the migrations on the connection that is handed over, inside the transaction that is open on it."""

from __future__ import annotations

from alembic import context

from nbflow.store import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    version_table=tables.version.name,
    version_table_pk=False,
    transactional_ddl=True,  # SQLite's DDL is transactional as well, once the driver opens no transaction by itself
    render_as_batch=True,  # SQLite changes most things about a table by copying it
)
context.run_migrations()
