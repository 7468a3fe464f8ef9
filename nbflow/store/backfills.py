"""Backfills of a history: what each is to run, and how far it has come. A row stays small, whatever it runs."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from nbflow.errors import ConflictError
from nbflow.model.backfill import Backfill, BackfillOnly, BackfillOrder, BackfillPlan, BackfillState
from nbflow.model.execution import Execution
from nbflow.store import tables
from nbflow.store.batch import Entry, Rows, Statements, cursor_of
from nbflow.store.changes import SaveExecution
from nbflow.store.database import Database, hold_flow
from nbflow.store.records import from_micros, object_from_json, optional_instant, optional_micros, to_json, to_micros
from nbflow.store.writer import Writer

_backfills, _executions = tables.backfills, tables.executions
_GOING_ON = (str(BackfillState.RUNNING), str(BackfillState.PAUSED))


class BackfillStore:
    """Keeps backfills, and takes their steps."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._statements = Statements(database.writing)

    def get(self, id: str) -> Backfill | None:
        row = self._database.first(select(_backfills).where(_backfills.c.id == id))
        return None if row is None else _from_row(row)

    def list(
        self,
        namespace: str | None = None,
        flow_id: str | None = None,
        trigger_id: str | None = None,
        *,
        going_on: bool = False,
        limit: int = 100,
    ) -> builtins.list[Backfill]:
        """Backfills, newest first; those that are not over, if so wished."""
        query = select(_backfills).order_by(_backfills.c.created.desc(), _backfills.c.id.desc()).limit(limit)
        for column, value in (
            (_backfills.c.namespace, namespace),
            (_backfills.c.flow_id, flow_id),
            (_backfills.c.trigger_id, trigger_id),
        ):
            if value is not None:
                query = query.where(column == value)
        if going_on:
            query = query.where(_backfills.c.state.in_(_GOING_ON))
        return [_from_row(row) for row in self._database.all(query)]

    def create(self, backfill: Backfill, *, alone: bool = True) -> bool:
        """Keep a new backfill; False when it is there already.

        Raises: ConflictError when another one of its trigger goes on, if it is to be alone.
        """
        names = (backfill.namespace, backfill.flow_id, backfill.trigger_id)
        same = (
            _backfills.c.namespace == names[0],
            _backfills.c.flow_id == names[1],
            _backfills.c.trigger_id == names[2],
        )

        def work(connection: Connection) -> bool:
            hold_flow(connection, backfill.namespace, backfill.flow_id)
            if connection.execute(select(_backfills.c.id).where(_backfills.c.id == backfill.id)).first() is not None:
                return False
            going_on = select(_backfills.c.id).where(*same, _backfills.c.state.in_(_GOING_ON))
            other = connection.execute(going_on).first() if alone else None
            if other is not None:
                raise ConflictError(
                    f"a backfill of the trigger {names[2]} of {names[0]}.{names[1]} goes on: {other.id}",
                    hint="wait for its end, or cancel it",
                )
            connection.execute(_backfills.insert().values(id=backfill.id, **_identity(backfill), **_progress(backfill)))
            return True

        return self._writer.call(work)

    async def step(
        self, before: Backfill, after: Backfill, executions: Sequence[Execution] = (), owner: str | None = None
    ) -> Backfill | None:
        """Put a backfill forward and record the executions of it, owned by an engine; None when it stands elsewhere."""
        after = replace(after, step=before.step + 1)

        def work(connection: Connection) -> Backfill | None:
            here = (_backfills.c.id == before.id, _backfills.c.step == before.step)
            # The plan never changes, and may be long.
            if not connection.execute(update(_backfills).where(*here).values(_progress(after))).rowcount:
                return None
            rows = Rows()
            for execution in executions:
                there = select(_executions.c.id).where(_executions.c.id == execution.id)
                if connection.execute(there).first() is None:
                    rows.add(Entry(SaveExecution(execution, 1, owner)))
            self._statements.write(cursor_of(connection), rows)
            return after

        return await self._writer.acall(work)

    def move(self, id: str, state: BackfillState, now: datetime, *, owner: str | None = None) -> Backfill | None:
        """Pause, resume or cancel a backfill; None when there is none, or it is over."""

        def work(connection: Connection) -> Backfill | None:
            this = (_backfills.c.id == id, _backfills.c.state.in_(_GOING_ON))
            values: dict[str, object] = {
                "state": str(state),
                "step": _backfills.c.step + 1,
                "updated": to_micros(now),
                "owner": owner,
            }
            if not connection.execute(update(_backfills).where(*this).values(values)).rowcount:
                return None
            return _from_row(connection.execute(select(_backfills).where(_backfills.c.id == id)).one())

        return self._writer.call(work)

    def unowned(self, now: datetime) -> builtins.list[Backfill]:
        """Backfills that are to go on and that no living engine looks after."""
        alive = select(tables.engines.c.id).where(tables.engines.c.expires > to_micros(now))
        owner = _backfills.c.owner
        query = select(_backfills).where(
            _backfills.c.state == str(BackfillState.RUNNING), owner.is_(None) | owner.not_in(alive)
        )
        return [_from_row(row) for row in self._database.all(query)]


def _identity(backfill: Backfill) -> dict[str, object]:
    """What stays as it was at the beginning."""
    plan = backfill.plan
    written = {
        "start": to_micros(plan.start),
        "end": to_micros(plan.end),
        "inputs": plan.inputs,
        "labels": plan.labels,
        "order": str(plan.order),
        "parallelism": plan.parallelism,
        "only": str(plan.only),
        "dates": None if plan.dates is None else [to_micros(date) for date in plan.dates],
    }
    return {
        "namespace": backfill.namespace,
        "flow_id": backfill.flow_id,
        "trigger_id": backfill.trigger_id,
        "created": to_micros(backfill.created),
        "plan": to_json(written, f"backfill {backfill.id}"),
    }


def _progress(backfill: Backfill) -> dict[str, object]:
    """How far it has come."""
    running = {id: to_micros(date) for id, date in backfill.running.items()}
    return {
        "state": str(backfill.state),
        "owner": backfill.owner,
        "step": backfill.step,
        "updated": to_micros(backfill.updated),
        "total": backfill.total,
        "fired": backfill.fired,
        "succeeded": backfill.succeeded,
        "failed": backfill.failed,
        "position": optional_micros(backfill.position),
        "running": to_json(running, f"backfill {backfill.id}"),
        "spent": backfill.spent // timedelta(microseconds=1),
    }


def _from_row(row: Any) -> Backfill:  # Any: SQLAlchemy names a row's columns as attributes
    plan: dict[str, Any] = object_from_json(row.plan)  # Any: what `_values` has written
    running: dict[str, Any] = object_from_json(row.running)
    dates = plan["dates"]
    return Backfill(
        row.id,
        row.namespace,
        row.flow_id,
        row.trigger_id,
        BackfillPlan(
            from_micros(plan["start"]),
            from_micros(plan["end"]),
            plan["inputs"],
            plan["labels"],
            BackfillOrder(plan["order"]),
            plan["parallelism"],
            BackfillOnly(plan["only"]),
            None if dates is None else tuple(from_micros(date) for date in dates),
        ),
        row.total,
        from_micros(row.created),
        from_micros(row.updated),
        BackfillState(row.state),
        row.fired,
        row.succeeded,
        row.failed,
        optional_instant(row.position),
        {id: from_micros(date) for id, date in running.items()},
        timedelta(microseconds=row.spent),
        row.owner,
        row.step,
    )
