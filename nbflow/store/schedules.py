"""What the scheduler writes: the triggers of a deployed flow, and a step of one, with the execution it starts.

A step and its execution share a transaction, and a step is taken only from where it was decided from: whoever takes
it, however often, each date of a schedule starts one execution.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, Connection, Update, and_, bindparam, delete, func, or_, select, update

from nbflow.model.execution import Execution
from nbflow.model.state import State
from nbflow.store import tables
from nbflow.store.batch import Entry, Rows, Statements, cursor_of
from nbflow.store.changes import SaveExecution
from nbflow.store.database import Database, contains, hold_flow, within_namespace
from nbflow.store.records import (
    from_micros,
    object_from_json,
    object_to_json,
    optional_instant,
    optional_micros,
    to_micros,
)
from nbflow.store.triggers import TriggerState, state_from_row
from nbflow.store.writer import Writer
from nbflow.types import JsonValue

_triggers, _executions, _flows = tables.triggers, tables.executions, tables.flows

Key = tuple[str, str, str]
_PAGE = 500
_BY_CLOCK = ("SCHEDULE", "POLLING", "REALTIME")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A trigger as its flow declares it.

    `timing` is what its dates follow from: while that stays the same, so does the next date. `first` is the next date
    of one that is new, or whose timing has changed. `facts` are kept for whoever lists triggers.
    """

    trigger_id: str
    kind: str
    timing: str
    first: datetime | None
    facts: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Step:
    """From one next date of a trigger to another, perhaps with an execution that fires for the former.

    `locks`: whether the trigger then waits for that execution; `error`: why there is none, though there should be;
    `notes`: what the trigger is to remember by name from now on, None to forget it.
    """

    key: Key
    expected: datetime | None
    next_date: datetime | None
    execution: Execution | None = None
    locks: bool = False
    evaluated: datetime | None = None
    error: str | None = None
    notes: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FlowMark:
    """The newest revision of a flow, without its text."""

    namespace: str
    id: str
    revision: int
    disabled: bool


class ScheduleStore:
    """Reads and writes what the scheduler works on."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._statements = Statements(database.writing)

    def marks(self) -> builtins.list[FlowMark]:
        """The newest revision of every flow that is not deleted."""
        columns = (_flows.c.namespace, _flows.c.id, _flows.c.revision, _flows.c.disabled)
        newest = (
            select(_flows.c.namespace, _flows.c.id, func.max(_flows.c.revision).label("revision"))
            .group_by(_flows.c.namespace, _flows.c.id)
            .subquery()
        )
        same = and_(*(_flows.c[name] == newest.c[name] for name in ("namespace", "id", "revision")))
        query = select(*columns).join(newest, same).where(_flows.c.deleted.is_(None))
        return [FlowMark(row.namespace, row.id, row.revision, bool(row.disabled)) for row in self._database.all(query)]

    def saved_since(self, moment: int) -> builtins.list[FlowMark]:
        """Revisions saved at an instant (microseconds) or after it, the older ones of a flow first."""
        columns = (_flows.c.namespace, _flows.c.id, _flows.c.revision, _flows.c.disabled)
        query = select(*columns).where(_flows.c.created >= moment, _flows.c.deleted.is_(None))
        found = self._database.all(query.order_by(_flows.c.revision))
        return [FlowMark(row.namespace, row.id, row.revision, bool(row.disabled)) for row in found]

    def enrolled(self, changed_after: int = 0) -> builtins.list[TriggerState]:
        """The triggers that the scheduler looks after; only those changed by others after a mark, if one is given."""
        query = select(_triggers).where(_triggers.c.kind.in_(_BY_CLOCK))
        if changed_after:
            query = query.where(_triggers.c.updated > changed_after)
        return [state_from_row(row) for row in self._database.all(query)]

    def all(
        self, namespace: str | None = None, flow_id: str | None = None, q: str | None = None, *, prefix: bool = False
    ) -> builtins.list[TriggerState]:
        """The triggers of deployed flows, of whatever kind, sorted by namespace, flow and trigger."""
        columns = _triggers.c
        query = select(_triggers).where(columns.kind.is_not(None))
        if namespace is not None:
            query = query.where(within_namespace(columns.namespace, namespace, prefix))
        if flow_id is not None:
            query = query.where(columns.flow_id == flow_id)
        if q:
            ids = (columns.namespace, columns.flow_id, columns.trigger_id)
            query = query.where(or_(*(contains(id, q) for id in ids)))
        ordered = query.order_by(columns.namespace, columns.flow_id, columns.trigger_id)
        return [state_from_row(row) for row in self._database.all(ordered)]

    def keys(self) -> set[Key]:
        """The triggers that are looked after."""
        columns = (_triggers.c.namespace, _triggers.c.flow_id, _triggers.c.trigger_id)
        found = self._database.all(select(*columns).where(_triggers.c.kind.in_(_BY_CLOCK)))
        return {(row.namespace, row.flow_id, row.trigger_id) for row in found}

    def mark(self) -> tuple[int, int]:
        """How many triggers are looked after, and a number that grows when anybody but the scheduler changes one."""
        columns = func.count().label("number"), func.max(_triggers.c.updated).label("newest")
        row = self._database.first(select(*columns).where(_triggers.c.kind.in_(_BY_CLOCK)))
        return (0, 0) if row is None else (row.number, row.newest or 0)

    def next_date(self, now: datetime) -> tuple[int, datetime | None]:
        """How many triggers are looked after, and the next date of all schedules that is still to come."""
        is_to_come = and_(
            _triggers.c.kind == "SCHEDULE", _triggers.c.disabled.is_(False), _triggers.c.next_date > to_micros(now)
        )
        row = self._database.first(select(func.min(_triggers.c.next_date)).where(is_to_come))
        return self.mark()[0], optional_instant(row[0]) if row is not None else None

    def overdue(self, before: datetime, limit: int) -> builtins.list[TriggerState]:
        """Schedules whose next date passed before an instant, and that wait for no execution; the longest first."""
        query = (
            select(_triggers)
            .where(
                _triggers.c.kind == "SCHEDULE",
                _triggers.c.disabled.is_(False),
                _triggers.c.execution_id.is_(None),
                _triggers.c.next_date < to_micros(before),
            )
            .order_by(_triggers.c.next_date)
            .limit(limit)
        )
        return [state_from_row(row) for row in self._database.all(query)]

    def get(self, key: Key) -> TriggerState | None:
        """A trigger that the scheduler looks after."""
        row = self._database.first(select(_triggers).where(_is(key), _triggers.c.kind.in_(_BY_CLOCK)))
        return None if row is None else state_from_row(row)

    def enrol(
        self, namespace: str, flow_id: str, revision: int, enrolments: Sequence[Enrolment], now: datetime
    ) -> builtins.list[TriggerState]:
        """Keep the triggers of a flow as it declares them now; those that it has no longer are forgotten.

        Returns their states. What is already known of a trigger stays, but for a next date that has changed.
        """
        of_flow = and_(_triggers.c.namespace == namespace, _triggers.c.flow_id == flow_id)

        def work(connection: Connection) -> builtins.list[TriggerState]:
            hold_flow(connection, namespace, flow_id)
            present = {row.trigger_id: row for row in connection.execute(select(_triggers).where(of_flow))}
            wanted = {one.trigger_id: one for one in enrolments}
            gone = [id for id, row in present.items() if row.kind is not None and id not in wanted]
            if gone:
                connection.execute(delete(_triggers).where(of_flow, _triggers.c.trigger_id.in_(gone)))
            mark = change_mark(connection, now)
            for one in enrolments:
                row = present.get(one.trigger_id)
                data = object_from_json(row.data) if row is not None else {}
                known = {**data, **one.facts, "timing": one.timing}
                values: dict[str, object] = {"kind": one.kind, "revision": revision}
                if row is None or data != known:
                    values["data"] = object_to_json(known, f"trigger {one.trigger_id}")
                if row is None or data.get("timing") != one.timing or row.kind != one.kind:
                    values |= {"next_date": optional_micros(one.first), "error": None}
                if row is None:
                    names = {"namespace": namespace, "flow_id": flow_id, "trigger_id": one.trigger_id}
                    connection.execute(_triggers.insert().values(**names, disabled=False, updated=mark, **values))
                elif any(getattr(row, name) != value for name, value in values.items()):
                    this = _is((namespace, flow_id, one.trigger_id))
                    connection.execute(update(_triggers).where(this).values(**values, updated=mark))
            kept = select(_triggers).where(of_flow, _triggers.c.kind.in_(_BY_CLOCK))
            return [state_from_row(row) for row in connection.execute(kept)]

        return self._writer.call(work)

    async def take(self, steps: Sequence[Step], owner: str) -> builtins.list[bool]:
        """Take steps, each if its trigger stands where it was decided from; which ones came to pass.

        The executions are recorded as the owner's.
        """

        def work(connection: Connection) -> builtins.list[bool]:
            rows, taken = Rows(), []
            for step in steps:
                is_taken = self._took(connection, step)
                if is_taken and step.execution is not None:
                    is_taken = connection.execute(_IS_THERE, {"b_id": step.execution.id}).first() is None
                    if is_taken:
                        rows.add(Entry(SaveExecution(step.execution, 1, owner)))
                taken.append(is_taken)
            self._statements.write(cursor_of(connection), rows)
            return taken

        return await self._writer.acall(work)

    def _took(self, connection: Connection, step: Step) -> bool:
        values: dict[str, object] = {"next_date": optional_micros(step.next_date)}
        if step.execution is not None:
            values["last_date"] = optional_micros(step.execution.schedule_date or step.expected)
            if step.locks:
                values["execution_id"] = step.execution.id
        if step.evaluated is not None:
            values |= {"evaluated": to_micros(step.evaluated), "error": step.error}
        if step.notes:
            values["data"] = _noted(connection, step.key, step.notes)
        namespace, flow_id, trigger_id = step.key
        given: dict[str, object] = {"b_namespace": namespace, "b_flow": flow_id, "b_trigger": trigger_id}
        if step.expected is not None:
            given["b_expected"] = to_micros(step.expected)
        given |= {f"v_{name}": value for name, value in values.items()}
        statement = _taking(tuple(sorted(values)), step.expected is None)
        return bool(connection.execute(statement, given).rowcount)

    async def unlock(self, ended: Sequence[tuple[Key, str, bool]]) -> None:
        """Let triggers wait no longer for executions; each with whether it is switched off, even if it did not wait."""

        def work(connection: Connection) -> None:
            for key, execution_id, stops in ended:
                waits = _triggers.c.execution_id == execution_id
                connection.execute(update(_triggers).where(_is(key), waits).values(execution_id=None))
                if stops:
                    connection.execute(update(_triggers).where(_is(key)).values(disabled=True))

        await self._writer.acall(work)

    async def fail(self, key: Key, error: str | None, at: datetime) -> None:
        """Note why a trigger cannot do its work; None when it can again."""
        note = update(_triggers).where(_is(key)).values(error=error, evaluated=to_micros(at))
        await self._writer.acall(lambda connection: connection.execute(note).rowcount)

    async def note(self, key: Key, notes: Mapping[str, JsonValue]) -> None:
        """Let a trigger remember something by name; None to forget it."""

        def work(connection: Connection) -> None:
            connection.execute(update(_triggers).where(_is(key)).values(data=_noted(connection, key, notes)))

        await self._writer.acall(work)

    async def record(self, execution: Execution, key: Key, owner: str, now: datetime) -> bool:
        """Record an execution of a trigger that has no dates; False when it is there already."""

        def work(connection: Connection) -> bool:
            there = select(_executions.c.id).where(_executions.c.id == execution.id)
            if connection.execute(there).first() is not None:
                return False
            rows = Rows()
            rows.add(Entry(SaveExecution(execution, 1, owner)))
            self._statements.write(cursor_of(connection), rows)
            values = {"last_date": to_micros(now), "evaluated": to_micros(now), "error": None}
            connection.execute(update(_triggers).where(_is(key)).values(values))
            return True

        return await self._writer.acall(work)

    def move(
        self, key: Key, now: datetime, *, next_date: datetime | None, disabled: bool | None = None, unlock: bool = False
    ) -> bool:
        """Set the next date of a trigger; switch it on or off, unlock it. False when it is not known."""

        def work(connection: Connection) -> bool:
            values: dict[str, object] = {
                "next_date": optional_micros(next_date),
                "updated": change_mark(connection, now),
            }
            if disabled is not None:
                values["disabled"] = disabled
            if unlock:
                values |= {"execution_id": None, "error": None}
            return bool(connection.execute(update(_triggers).where(_is(key)).values(values)).rowcount)

        return self._writer.call(work)

    def states_of(self, execution_ids: Iterable[str]) -> dict[str, State]:
        """The states of executions, as far as these are there."""
        ids, found = list(execution_ids), dict[str, State]()
        for place in range(0, len(ids), _PAGE):
            some = _executions.c.id.in_(ids[place : place + _PAGE])
            query = select(_executions.c.id, _executions.c.state).where(some)
            found |= {row.id: State(row.state) for row in self._database.all(query)}
        return found

    def dates_run(self, key: Key, start: datetime, end: datetime) -> dict[datetime, State]:
        """The dates between two instants for which a trigger has started executions, with the newest one's state."""
        namespace, flow_id, trigger_id = key
        date = _executions.c.schedule_date
        query = (
            select(date, _executions.c.state)
            .where(
                _executions.c.namespace == namespace,
                _executions.c.flow_id == flow_id,
                _executions.c.trigger_id == trigger_id,
                date >= to_micros(start),
                date <= to_micros(end),
            )
            .order_by(_executions.c.started, _executions.c.id)
        )
        return {from_micros(row.schedule_date): State(row.state) for row in self._database.all(query)}


_IS_THERE = select(_executions.c.id).where(_executions.c.id == bindparam("b_id"))


@lru_cache(maxsize=64)
def _taking(names: tuple[str, ...], is_new: bool) -> Update:
    """The statement of a step that sets these columns; putting it together takes longer than running it."""
    columns = _triggers.c
    stands = columns.next_date.is_(None) if is_new else columns.next_date == bindparam("b_expected")
    this = (
        columns.namespace == bindparam("b_namespace"),
        columns.flow_id == bindparam("b_flow"),
        columns.trigger_id == bindparam("b_trigger"),
    )
    may_fire = (columns.disabled.is_(False), columns.kind.in_(_BY_CLOCK))
    return update(_triggers).where(*this, stands, *may_fire).values({name: bindparam(f"v_{name}") for name in names})


def change_mark(connection: Connection, now: datetime) -> int:
    """What `updated` is to be of a trigger that is changed now: more than that of any other."""
    newest = connection.execute(select(func.max(_triggers.c.updated))).scalar() or 0
    return max(to_micros(now), int(newest) + 1)


def noted(data: Mapping[str, JsonValue], notes: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What a trigger remembers once it has taken notes; a note of None is one to forget."""
    return {name: value for name, value in {**data, **notes}.items() if name not in notes or value is not None}


def _noted(connection: Connection, key: Key, notes: Mapping[str, JsonValue]) -> str | None:
    data = connection.execute(select(_triggers.c.data).where(_is(key))).scalar()
    return object_to_json(noted(object_from_json(data), notes), f"what trigger {key[2]} remembers")


def _is(key: Key) -> ColumnElement[bool]:
    namespace, flow_id, trigger_id = key
    return and_(
        _triggers.c.namespace == namespace, _triggers.c.flow_id == flow_id, _triggers.c.trigger_id == trigger_id
    )
