"""Which task runs hold a slot of a pool, and which wait for one: read from the history, over all engines.

    take ─► a place in the pool's line ─► QUEUED ── those before it are through, a slot is free ──► RUNNING
                  └── a slot is free, nobody waits ──────────────────────────────────────────────────┘

A slot is held by a task run of the pool that is RUNNING (or PAUSED) in an execution that has not ended, and whose owner
is a living engine and the one that let it in. No number is kept: whatever ends a task run, or an engine, gives the slot
back, and an engine that takes an execution over asks for a place anew.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, update
from sqlalchemy.sql import Executable

from nbflow.model.execution import TaskRun
from nbflow.model.state import State
from nbflow.store import tables
from nbflow.store.database import Database, hold_flow
from nbflow.store.executions import UNFINISHED
from nbflow.store.records import to_micros
from nbflow.store.writer import Writer

_pool_runs, _task_runs, _executions = tables.pool_runs, tables.task_runs, tables.executions

_HOLDS_SLOT = (str(State.RUNNING), str(State.PAUSED))


class PoolStore:
    """The lines and slots of the pools of a home."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    async def join(self, pool: str, slots: int, run: TaskRun, engine_id: str, now: datetime) -> bool:
        """Let a task run of this engine come last in the line of a pool, and work if there is a slot for it."""

        def work(connection: Connection) -> bool:
            _hold(connection)
            connection.execute(delete(_pool_runs).where(_pool_runs.c.task_run_id == run.id))
            last = connection.execute(select(func.max(_pool_runs.c.place)).where(_pool_runs.c.pool == pool)).scalar()
            place = (last or 0) + 1
            row = {"task_run_id": run.id, "execution_id": run.execution_id, "pool": pool, "place": place}
            connection.execute(_pool_runs.insert().values({**row, "engine": engine_id}))
            return _admit(connection, pool, slots, run, engine_id, now)

        return await self._writer.acall(work)

    async def take(self, pool: str, slots: int, run: TaskRun, engine_id: str, now: datetime) -> bool:
        """Let a task run that is in the line work if there is a slot for it; atomically."""

        def work(connection: Connection) -> bool:
            _hold(connection)
            return _admit(connection, pool, slots, run, engine_id, now)

        return await self._writer.acall(work)

    def has_room(self, pool: str, slots: int, run: TaskRun, engine_id: str, now: datetime) -> bool:
        """Whether `take` may well find a slot."""
        row = self._database.first(_before(pool, run, engine_id, now))
        return row is None or bool(row[0] < slots)


def _hold(connection: Connection) -> None:
    """Let no other machine decide about pools until the transaction ends."""
    hold_flow(connection, "", "pools")


def _admit(connection: Connection, pool: str, slots: int, run: TaskRun, engine_id: str, now: datetime) -> bool:
    is_free: bool = connection.execute(_before(pool, run, engine_id, now)).scalar_one() < slots
    state = State.RUNNING if is_free else State.QUEUED
    here = and_(_task_runs.c.execution_id == run.execution_id, _task_runs.c.id == run.id)
    is_open = _task_runs.c.state.in_(UNFINISHED)  # it may have been killed since it asked
    moved = connection.execute(update(_task_runs).where(here, is_open).values(state=str(state)))
    if is_free:
        unfinished = exists().where(
            _task_runs.c.execution_id == _pool_runs.c.execution_id,
            _task_runs.c.id == _pool_runs.c.task_run_id,
            _task_runs.c.state.in_(UNFINISHED),
        )
        connection.execute(delete(_pool_runs).where(_pool_runs.c.pool == pool, ~unfinished))
    return is_free and bool(moved.rowcount)


def _before(pool: str, run: TaskRun, engine_id: str, now: datetime) -> Executable:
    """How many others hold a slot, or wait for one and came earlier."""
    alive = select(tables.engines.c.id).where(tables.engines.c.expires > to_micros(now))
    own_place = select(_pool_runs.c.place).where(_pool_runs.c.task_run_id == run.id).scalar_subquery()
    is_run = and_(_task_runs.c.execution_id == _pool_runs.c.execution_id, _task_runs.c.id == _pool_runs.c.task_run_id)
    return (
        select(func.count())
        .select_from(
            _pool_runs.join(_task_runs, is_run).join(_executions, _executions.c.id == _pool_runs.c.execution_id)
        )
        .where(
            _pool_runs.c.pool == pool,
            _pool_runs.c.task_run_id != run.id,
            _executions.c.state.in_(UNFINISHED),
            _executions.c.owner == _pool_runs.c.engine,
            or_(_executions.c.owner == engine_id, _executions.c.owner.in_(alive)),
            or_(
                _task_runs.c.state.in_(_HOLDS_SLOT),
                and_(_task_runs.c.state == str(State.QUEUED), _pool_runs.c.place < own_place),
            ),
        )
    )
