"""Schedules: what the scheduler knows of each trigger, who the scheduler is, and backfills."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_FORMER = "namespace, flow_id, trigger_id, disabled, next_date, last_date, execution_id, data"


def _new_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("kind", _Text),
        sa.Column("revision", sa.Integer()),
        sa.Column("updated", sa.BigInteger()),
        sa.Column("evaluated", sa.BigInteger()),
        sa.Column("error", _Text),
    ]


def upgrade() -> None:
    _widen_triggers()
    op.create_index("triggers_by_update", "triggers", ["updated"])
    op.create_index("triggers_by_kind", "triggers", ["kind", "updated"])
    op.create_index("flows_by_change", "flows", ["created", "deleted", "disabled"])
    op.create_table(
        "leases",
        sa.Column("name", _Text, primary_key=True),
        sa.Column("holder", _Text, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("watched_since", sa.BigInteger(), nullable=False),
        sa.Column("info", _Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "backfills",
        sa.Column("id", _Text, primary_key=True),
        sa.Column("namespace", _Text, nullable=False),
        sa.Column("flow_id", _Text, nullable=False),
        sa.Column("trigger_id", _Text, nullable=False),
        sa.Column("state", _Text, nullable=False),
        sa.Column("owner", _Text),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("plan", _Text, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("fired", sa.Integer(), nullable=False),
        sa.Column("succeeded", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger()),
        sa.Column("running", _Text),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("backfills_by_state", "backfills", ["state", "created"])
    op.create_index("backfills_by_flow", "backfills", ["namespace", "flow_id", "trigger_id", "created"])


def _widen_triggers() -> None:
    if op.get_bind().dialect.name != "sqlite":
        for column in _new_columns():
            op.add_column("triggers", column)
        return
    # SQLite keeps the text of a table's definition: it is made anew, so that it reads as that of a fresh history.
    op.rename_table("triggers", "triggers_before")
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
        *_new_columns(),
        sqlite_with_rowid=False,
    )
    op.execute(f"INSERT INTO triggers ({_FORMER}) SELECT {_FORMER} FROM triggers_before")
    op.drop_table("triggers_before")
