"""Task runs in pools that flows share, and outcomes that later task runs may take."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "pool_runs",
        sa.Column("task_run_id", _Text, primary_key=True),
        sa.Column("execution_id", _Text, nullable=False),
        sa.Column("pool", _Text, nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("engine", _Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("pool_runs_by_pool", "pool_runs", ["pool", "place"])
    op.create_table(
        "outcomes",
        sa.Column("namespace", _Text, primary_key=True),
        sa.Column("flow_id", _Text, primary_key=True),
        sa.Column("task_id", _Text, primary_key=True),
        sa.Column("hash", _Text, primary_key=True),
        sa.Column("execution_id", _Text, nullable=False),
        sa.Column("outputs", _Text),
        sa.Column("kept", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger()),
        sqlite_with_rowid=False,
    )
