"""What namespaces hold: values by key, secrets, settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "kv",
        sa.Column("namespace", _Text, primary_key=True),
        sa.Column("key", _Text, primary_key=True),
        sa.Column("type", _Text, nullable=False),
        sa.Column("value", _Text, nullable=False),
        sa.Column("description", _Text),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "secrets",
        sa.Column("namespace", _Text, primary_key=True),
        sa.Column("name", _Text, primary_key=True),
        sa.Column("value", _Text, nullable=False),
        sa.Column("description", _Text),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "namespaces",
        sa.Column("id", _Text, primary_key=True),
        sa.Column("description", _Text),
        sa.Column("variables", _Text),
        sa.Column("plugin_defaults", _Text),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
