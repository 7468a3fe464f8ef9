"""The tables of the history, as SQLAlchemy Core describes them.

Instants are whole microseconds since 1970 (UTC), JSON is compact text, NULL stands for an empty object. On SQLite
the rows of an execution lie together: their primary keys are clustered (WITHOUT ROWID). A change here needs a
migration beside it and a new `REVISION`; a test holds the two together.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

REVISION = "0005"
"""The migration that leads to these tables. A constant, so that opening a history need not import Alembic."""

metadata = MetaData()

_Counter = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts by itself only in a column of type INTEGER

# Names and ids are compared byte by byte, as SQLite does: by the rules of a language, neither the order of ids would be
# that of their creation, nor a namespace's children a range of an index.
_Text = Text().with_variant(Text(collation="C"), "postgresql")

flows = Table(
    "flows",
    metadata,
    Column("namespace", _Text, primary_key=True),
    Column("id", _Text, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("source", _Text, nullable=False),
    Column("hash", _Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("deleted", BigInteger),
    Column("created", BigInteger, nullable=False),
    Index("flows_by_change", "created", "deleted", "disabled"),  # all that a fingerprint of the flows looks at
    sqlite_with_rowid=False,
)

executions = Table(
    "executions",
    metadata,
    Column("id", _Text, primary_key=True),
    Column("namespace", _Text, nullable=False),
    Column("flow_id", _Text, nullable=False),
    Column("flow_revision", Integer, nullable=False),
    Column("state", _Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("seq", BigInteger, nullable=False),
    Column("owner", _Text),
    Column("history", _Text, nullable=False),
    Column("labels", _Text),
    Column("inputs", _Text),
    Column("outputs", _Text),
    Column("variables", _Text),
    Column("trigger_data", _Text),
    Column("trigger_id", _Text),
    Column("parent_id", _Text),
    Column("parent_task_run_id", _Text),
    Column("original_id", _Text),
    Column("schedule_date", BigInteger),
    Column("kind", _Text),
    Column("attempt_number", Integer, nullable=False),
    # Lists are newest first, so each index ends in `started, id`: a page is a range of one index.
    Index("executions_by_flow", "namespace", "flow_id", "state", "started", "id"),
    Index("executions_by_namespace", "namespace", "state", "started", "id"),
    Index("executions_by_state", "state", "started", "id"),
    Index("executions_by_start", "started", "id"),
    Index(
        "executions_by_parent",
        "parent_id",
        "started",
        "id",
        sqlite_where=text("parent_id IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

execution_labels = Table(
    "execution_labels",
    metadata,
    Column("execution_id", _Text, primary_key=True),
    Column("key", _Text, primary_key=True),
    Column("value", _Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Index("execution_labels_by_label", "key", "value", "started", "execution_id"),
    sqlite_with_rowid=False,
)

task_runs = Table(
    "task_runs",
    metadata,
    Column("execution_id", _Text, primary_key=True),
    Column("id", _Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("task_id", _Text, nullable=False),
    Column("state", _Text, nullable=False),
    Column("history", _Text, nullable=False),
    Column("parent_task_run_id", _Text),
    Column("value", _Text),
    Column("iteration", Integer),
    Column("attempts", _Text),
    Column("outputs", _Text),
    Column("dynamic", Boolean, nullable=False),
    Index("task_runs_by_seq", "execution_id", "seq"),
    sqlite_with_rowid=False,
)

logs = Table(
    "logs",
    metadata,
    Column("execution_id", _Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("message", _Text, nullable=False),
    Column("task_id", _Text),
    Column("task_run_id", _Text),
    Column("attempt_number", Integer),
    Index("logs_by_time", "at"),
    sqlite_with_rowid=False,
)

metrics = Table(
    "metrics",
    metadata,
    Column("id", _Counter, primary_key=True),
    Column("execution_id", _Text, nullable=False),
    Column("task_id", _Text, nullable=False),
    Column("task_run_id", _Text, nullable=False),
    Column("type", _Text, nullable=False),
    Column("name", _Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("tags", _Text),
    Index("metrics_by_execution", "execution_id"),
)

triggers = Table(
    "triggers",
    metadata,
    Column("namespace", _Text, primary_key=True),
    Column("flow_id", _Text, primary_key=True),
    Column("trigger_id", _Text, primary_key=True),
    Column("disabled", Boolean, nullable=False),
    Column("next_date", BigInteger),
    Column("last_date", BigInteger),
    Column("execution_id", _Text),
    Column("data", _Text),
    Column("kind", _Text),
    Column("revision", Integer),
    Column("updated", BigInteger),
    Column("evaluated", BigInteger),
    Column("error", _Text),
    Index("triggers_by_update", "updated"),
    Index("triggers_by_kind", "kind", "updated"),
    sqlite_with_rowid=False,
)

leases = Table(
    "leases",
    metadata,
    Column("name", _Text, primary_key=True),
    Column("holder", _Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("watched_since", BigInteger, nullable=False),
    Column("info", _Text),
    sqlite_with_rowid=False,
)

backfills = Table(
    "backfills",
    metadata,
    Column("id", _Text, primary_key=True),
    Column("namespace", _Text, nullable=False),
    Column("flow_id", _Text, nullable=False),
    Column("trigger_id", _Text, nullable=False),
    Column("state", _Text, nullable=False),
    Column("owner", _Text),
    Column("step", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("plan", _Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("fired", Integer, nullable=False),
    Column("succeeded", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("position", BigInteger),
    Column("running", _Text),
    Column("spent", BigInteger, nullable=False),
    Index("backfills_by_state", "state", "created"),
    Index("backfills_by_flow", "namespace", "flow_id", "trigger_id", "created"),
    sqlite_with_rowid=False,
)

engines = Table(
    "engines",
    metadata,
    Column("id", _Text, primary_key=True),
    Column("beat", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("info", _Text),
    sqlite_with_rowid=False,
)

commands = Table(
    "commands",
    metadata,
    Column("id", _Counter, primary_key=True),
    Column("execution_id", _Text, nullable=False),
    Column("name", _Text, nullable=False),
    Column("payload", _Text),
    Column("created", BigInteger, nullable=False),
    Index("commands_by_execution", "execution_id"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Counter, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", _Text, nullable=False),
    Column("action", _Text, nullable=False),
    Column("what", _Text, nullable=False),
)

kv = Table(
    "kv",
    metadata,
    Column("namespace", _Text, primary_key=True),
    Column("key", _Text, primary_key=True),
    Column("type", _Text, nullable=False),
    Column("value", _Text, nullable=False),
    Column("description", _Text),
    Column("revision", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("expires", BigInteger),
    sqlite_with_rowid=False,
)

secrets = Table(
    "secrets",
    metadata,
    Column("namespace", _Text, primary_key=True),
    Column("name", _Text, primary_key=True),
    Column("value", _Text, nullable=False),
    Column("description", _Text),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

namespaces = Table(
    "namespaces",
    metadata,
    Column("id", _Text, primary_key=True),
    Column("description", _Text),
    Column("variables", _Text),
    Column("plugin_defaults", _Text),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

pool_runs = Table(
    "pool_runs",
    metadata,
    Column("task_run_id", _Text, primary_key=True),
    Column("execution_id", _Text, nullable=False),
    Column("pool", _Text, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("engine", _Text, nullable=False),
    Index("pool_runs_by_pool", "pool", "place"),
    sqlite_with_rowid=False,
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("namespace", _Text, primary_key=True),
    Column("flow_id", _Text, primary_key=True),
    Column("task_id", _Text, primary_key=True),
    Column("hash", _Text, primary_key=True),
    Column("execution_id", _Text, nullable=False),
    Column("outputs", _Text),
    Column("kept", BigInteger, nullable=False),
    Column("expires", BigInteger),
    sqlite_with_rowid=False,
)

state_changes = Table(
    "state_changes",
    metadata,
    Column("execution_id", _Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("engine", _Text, nullable=False),
    sqlite_with_rowid=False,
)

# The revision of a history. Not under the name that Alembic gives: a PostgreSQL database may serve other programs too.
version = Table("nbflow_version", MetaData(), Column("version_num", String(32), nullable=False))
