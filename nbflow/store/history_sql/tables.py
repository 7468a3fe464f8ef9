"""The tables that a query of the history sees: what they are called, what is in them, where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from nbflow.model.state import TERMINAL
from nbflow.model.task import LogLevel

_ENDED = ", ".join(f"'{state}'" for state in TERMINAL)
_LEVELS = ", ".join(f"'{level}'" for level in LogLevel)

_INSTANT = "make_timestamptz(CAST({} AS BIGINT))"
_LABELS = "map(json_extract_string({0}, '$[*][0]'), json_extract_string({0}, '$[*][1]'))"
_FIRST_MOVE = "CAST(json_extract_string({}, '$[0][1]') AS BIGINT)"
_LAST_MOVE = (
    "CASE WHEN json_extract_string({0}, '$[#-1][0]') IN (" + _ENDED + ") "
    "THEN CAST(json_extract_string({0}, '$[#-1][1]') AS BIGINT) END"
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name and DuckDB type, what it tells, the SQL that the store answers, and how that text is read.

    `read` has `{}` for the text; without it the text is cast. `sought`: conditions on it are put to the store.
    """

    name: str
    type: str
    about: str
    source: str
    read: str = ""
    sought: bool = False

    def reading(self, text: str) -> str:
        """The DuckDB expression that makes the value of the store's text."""
        return self.read.format(text) if self.read else f"CAST({text} AS {self.type})"


@dataclass(frozen=True, slots=True)
class HistoryTable:
    """A table: `source` is its FROM clause in the store, `joined` what to add when a column of `e.` is wanted."""

    name: str
    about: str
    source: str
    columns: tuple[Column, ...]
    joined: str = ""

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    def create(self) -> str:
        """The statement that makes the table, empty."""
        columns = ", ".join(f'"{column.name}" {column.type}' for column in self.columns)
        return f'CREATE OR REPLACE TABLE "{self.name}" ({columns})'


def _text(name: str, about: str, source: str) -> Column:
    return Column(name, "VARCHAR", about, source, sought=True)


def _instant(name: str, about: str, source: str) -> Column:
    return Column(name, "TIMESTAMPTZ", about, source, _INSTANT, sought=True)


def _json(name: str, about: str, source: str) -> Column:
    return Column(name, "JSON", about, source)


_NAMESPACE = _text("namespace", "Namespace of the flow.", "e.namespace")
_FLOW = _text("flow_id", "Id of the flow.", "e.flow_id")

_EXECUTIONS = HistoryTable(
    "executions",
    "One row for each run of a flow.",
    "executions AS e",
    (
        _text("id", "Id of the execution.", "e.id"),
        _NAMESPACE,
        _FLOW,
        Column("revision", "INTEGER", "Revision of the flow.", "e.flow_revision"),
        _text("state", "SUCCESS, FAILED, RUNNING …", "e.state"),
        _instant("started", "When it was created.", "e.started"),
        _instant("ended", "When it ended; NULL while it goes on.", "e.ended"),
        Column("duration", "DOUBLE", "Seconds from start to end.", "(e.ended - e.started)", "CAST({} AS BIGINT) / 1e6"),
        Column("labels", "MAP(VARCHAR, VARCHAR)", "Its labels: labels['team'].", "e.labels", _LABELS),
        _json("inputs", "Its inputs: inputs->>'name'.", "e.inputs"),
        _json("outputs", "What the flow put out.", "e.outputs"),
        _text("trigger_id", "The trigger that started it.", "e.trigger_id"),
        _json("trigger", "What the trigger told.", "e.trigger_data"),
        _instant("schedule_date", "The date it is for, of a schedule.", "e.schedule_date"),
        _text("parent_id", "The execution that started it.", "e.parent_id"),
        _text("original_id", "The execution it replays.", "e.original_id"),
        Column("attempt", "INTEGER", "Which try of the execution it is.", "e.attempt_number"),
        _text("kind", "TEST, BACKFILL …; NULL for an ordinary one.", "e.kind"),
    ),
)

_TASK_RUNS = HistoryTable(
    "task_runs",
    "One row for each task of each execution.",
    "task_runs AS r",
    (
        _text("id", "Id of the task run.", "r.id"),
        _text("execution_id", "The execution it belongs to.", "r.execution_id"),
        _NAMESPACE,
        _FLOW,
        _text("task_id", "Id of the task.", "r.task_id"),
        _text("state", "SUCCESS, FAILED, RUNNING …", "r.state"),
        Column("started", "TIMESTAMPTZ", "When it was created.", "r.history", f"make_timestamptz({_FIRST_MOVE})"),
        Column("ended", "TIMESTAMPTZ", "When it ended.", "r.history", f"make_timestamptz({_LAST_MOVE})"),
        Column(
            "duration",
            "DOUBLE",
            "Seconds from start to end.",
            "r.history",
            f"(({_LAST_MOVE}) - {_FIRST_MOVE.replace('{}', '{0}')}) / 1e6",
        ),
        Column(
            "attempts",
            "INTEGER",
            "How often it was tried.",
            "r.attempts",
            "CAST(COALESCE(json_array_length({}), 0) AS INTEGER)",
        ),
        _text("value", "The item of a loop that it is for.", "r.value"),
        Column("iteration", "INTEGER", "The number of that item, from 0.", "r.iteration"),
        _text("parent_task_run_id", "The task run around it.", "r.parent_task_run_id"),
        _json("outputs", "What it put out: outputs->>'uri'.", "r.outputs"),
    ),
    "LEFT JOIN executions AS e ON e.id = r.execution_id",
)

_LOGS = HistoryTable(
    "logs",
    "One row for each line of a log.",
    "logs AS l",
    (
        _text("execution_id", "The execution it belongs to.", "l.execution_id"),
        _NAMESPACE,
        _FLOW,
        _instant("timestamp", "When it was written.", "l.at"),
        Column(
            "level",
            "VARCHAR",
            "TRACE, DEBUG, INFO, WARN or ERROR.",
            "l.level",
            f"[{_LEVELS}][CAST({{}} AS INTEGER) + 1]",
        ),
        Column("message", "VARCHAR", "The line.", "l.message"),
        _text("task_id", "The task that wrote it.", "l.task_id"),
        _text("task_run_id", "The task run that wrote it.", "l.task_run_id"),
        Column("attempt", "INTEGER", "The attempt that wrote it.", "l.attempt_number"),
        Column("seq", "BIGINT", "Its place in the log of the execution.", "l.seq"),
    ),
    "LEFT JOIN executions AS e ON e.id = l.execution_id",
)

_METRICS = HistoryTable(
    "metrics",
    "One row for each number that a task reported.",
    "metrics AS m",
    (
        _text("execution_id", "The execution it belongs to.", "m.execution_id"),
        _NAMESPACE,
        _FLOW,
        _text("task_id", "The task that reported it.", "m.task_id"),
        _text("task_run_id", "The task run that reported it.", "m.task_run_id"),
        _text("type", "counter, timer or gauge.", "m.type"),
        _text("name", "What was counted or measured.", "m.name"),
        Column("value", "DOUBLE", "The number.", "m.value"),
        _instant("timestamp", "When it was reported.", "m.at"),
        _json("tags", "Its tags: tags->>'file'.", "m.tags"),
    ),
    "LEFT JOIN executions AS e ON e.id = m.execution_id",
)

_TRIGGERS = HistoryTable(
    "triggers",
    "One row for each trigger that has been seen to: where it stands.",
    "triggers AS t",
    (
        _text("namespace", "Namespace of the flow.", "t.namespace"),
        _text("flow_id", "Id of the flow.", "t.flow_id"),
        _text("trigger_id", "Id of the trigger.", "t.trigger_id"),
        Column("disabled", "BOOLEAN", "Whether it is switched off.", "t.disabled"),
        _instant("next_date", "When it fires next.", "t.next_date"),
        _instant("last_date", "When it fired last.", "t.last_date"),
        _text("execution_id", "The execution it started that still runs.", "t.execution_id"),
    ),
)

_LATEST = (
    "(SELECT MAX(n.revision) FROM flows AS n WHERE n.namespace = f.namespace AND n.id = f.id) = f.revision "
    "AND f.deleted IS NULL"
)

_FLOWS = HistoryTable(
    "flows",
    "One row for each revision of each flow.",
    "flows AS f",
    (
        _text("namespace", "Namespace of the flow.", "f.namespace"),
        _text("id", "Id of the flow.", "f.id"),
        Column("revision", "INTEGER", "1, 2, 3 …", "f.revision"),
        Column("is_latest", "BOOLEAN", "Whether it is the revision that runs now.", f"({_LATEST})"),
        Column("disabled", "BOOLEAN", "Whether it is switched off.", "f.disabled"),
        _instant("created", "When it was deployed.", "f.created"),
        _instant("deleted", "When it was deleted.", "f.deleted"),
        Column("source", "VARCHAR", "Its YAML.", "f.source"),
    ),
)

HISTORY: dict[str, HistoryTable] = {
    table.name: table for table in (_EXECUTIONS, _TASK_RUNS, _LOGS, _METRICS, _TRIGGERS, _FLOWS)
}
"""The tables by name."""
