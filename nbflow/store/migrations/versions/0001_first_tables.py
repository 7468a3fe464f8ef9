"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_Counter = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "flows",
        sa.Column("namespace", _Text, primary_key=True),
        sa.Column("id", _Text, primary_key=True),
        sa.Column("revision", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("source", _Text, nullable=False),
        sa.Column("hash", _Text, nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("deleted", sa.BigInteger()),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "executions",
        sa.Column("id", _Text, primary_key=True),
        sa.Column("namespace", _Text, nullable=False),
        sa.Column("flow_id", _Text, nullable=False),
        sa.Column("flow_revision", sa.Integer(), nullable=False),
        sa.Column("state", _Text, nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger()),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("owner", _Text),
        sa.Column("history", _Text, nullable=False),
        sa.Column("labels", _Text),
        sa.Column("inputs", _Text),
        sa.Column("outputs", _Text),
        sa.Column("variables", _Text),
        sa.Column("trigger_data", _Text),
        sa.Column("trigger_id", _Text),
        sa.Column("parent_id", _Text),
        sa.Column("parent_task_run_id", _Text),
        sa.Column("original_id", _Text),
        sa.Column("schedule_date", sa.BigInteger()),
        sa.Column("kind", _Text),
        sa.Column("attempt_number", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("executions_by_flow", "executions", ["namespace", "flow_id", "state", "started", "id"])
    op.create_index("executions_by_namespace", "executions", ["namespace", "state", "started", "id"])
    op.create_index("executions_by_state", "executions", ["state", "started", "id"])
    op.create_index("executions_by_start", "executions", ["started", "id"])
    op.create_index(
        "executions_by_parent",
        "executions",
        ["parent_id", "started", "id"],
        sqlite_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_table(
        "execution_labels",
        sa.Column("execution_id", _Text, primary_key=True),
        sa.Column("key", _Text, primary_key=True),
        sa.Column("value", _Text, nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("execution_labels_by_label", "execution_labels", ["key", "value", "started", "execution_id"])
    op.create_table(
        "task_runs",
        sa.Column("execution_id", _Text, primary_key=True),
        sa.Column("id", _Text, primary_key=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("task_id", _Text, nullable=False),
        sa.Column("state", _Text, nullable=False),
        sa.Column("history", _Text, nullable=False),
        sa.Column("parent_task_run_id", _Text),
        sa.Column("value", _Text),
        sa.Column("iteration", sa.Integer()),
        sa.Column("attempts", _Text),
        sa.Column("outputs", _Text),
        sa.Column("dynamic", sa.Boolean(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("task_runs_by_seq", "task_runs", ["execution_id", "seq"])
    op.create_table(
        "logs",
        sa.Column("execution_id", _Text, primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("message", _Text, nullable=False),
        sa.Column("task_id", _Text),
        sa.Column("task_run_id", _Text),
        sa.Column("attempt_number", sa.Integer()),
        sqlite_with_rowid=False,
    )
    op.create_index("logs_by_time", "logs", ["at"])
    op.create_table(
        "metrics",
        sa.Column("id", _Counter, primary_key=True),
        sa.Column("execution_id", _Text, nullable=False),
        sa.Column("task_id", _Text, nullable=False),
        sa.Column("task_run_id", _Text, nullable=False),
        sa.Column("type", _Text, nullable=False),
        sa.Column("name", _Text, nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("tags", _Text),
    )
    op.create_index("metrics_by_execution", "metrics", ["execution_id"])
    op.create_table(
        "triggers",
        sa.Column("namespace", _Text, primary_key=True),
        sa.Column("flow_id", _Text, primary_key=True),
        sa.Column("trigger_id", _Text, primary_key=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("next_date", sa.BigInteger()),
        sa.Column("last_date", sa.BigInteger()),
        sa.Column("execution_id", _Text),
        sa.Column("data", _Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "engines",
        sa.Column("id", _Text, primary_key=True),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("info", _Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "commands",
        sa.Column("id", _Counter, primary_key=True),
        sa.Column("execution_id", _Text, nullable=False),
        sa.Column("name", _Text, nullable=False),
        sa.Column("payload", _Text),
        sa.Column("created", sa.BigInteger(), nullable=False),
    )
    op.create_index("commands_by_execution", "commands", ["execution_id"])
    op.create_table(
        "audit",
        sa.Column("id", _Counter, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", _Text, nullable=False),
        sa.Column("action", _Text, nullable=False),
        sa.Column("what", _Text, nullable=False),
    )
