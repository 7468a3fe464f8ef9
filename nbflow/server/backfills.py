"""Backfills over REST: past dates of a schedule, run now; begun, paused, gone on with, ended."""

from __future__ import annotations

from nbflow.engine import Engine
from nbflow.engine.scheduling.status import TriggerRow
from nbflow.errors import ConflictError
from nbflow.model.execution import instant
from nbflow.server.handler import ApiHandler, read_body
from nbflow.server.requests import TriggerName, TriggerWithBackfill
from nbflow.server.rights import Right, may
from nbflow.server.triggers import ManyTriggers, begin_backfill, shape

_MOST_DATES = 1000


class CreateBackfill(ApiHandler):
    """`PUT /triggers/backfill/create`; with `dryRun` nothing is begun, and `dates` are those that would be run."""

    @may(Right.RUN)
    async def put(self) -> None:
        wanted = read_body(TriggerWithBackfill, self.request.body)
        engine = await self.engine()
        self.subject = f"triggers/backfill/create {wanted.namespace}/{wanted.flow_id}/{wanted.trigger_id}"
        row = await begin_backfill(engine, wanted, wanted.backfill)
        found = shape(row)
        if wanted.backfill.dry_run and row.backfill is not None:
            dates = await engine.abackfill_dates(row.backfill, _MOST_DATES)
            found["dates"] = [instant(date) for date in dates]
        self.answer(found)


class MoveBackfill(ApiHandler):
    """`PUT /triggers/backfill/pause` and `/unpause`, `POST /triggers/backfill/delete`."""

    @may(Right.RUN)
    async def put(self, action: str) -> None:
        await self._move(action)

    @may(Right.RUN)
    async def post(self, action: str) -> None:
        await self._move(action)

    async def _move(self, action: str) -> None:
        name = read_body(TriggerName, self.request.body)
        engine = await self.engine()
        self.subject = f"triggers/backfill/{action} {name.namespace}/{name.flow_id}/{name.trigger_id}"
        self.answer(shape(await move(engine, name, action)))


class MoveBackfills(ManyTriggers):
    """`POST /triggers/backfill/{pause|unpause|delete}/by-triggers` and `/by-query`."""

    @may(Right.RUN)
    async def post(self, action: str, way: str) -> None:
        engine = await self.engine()
        names = await self.names(engine, way)
        await self.each(engine, names, lambda engine, name: move(engine, name, action))


class BackfillSearch(ApiHandler):
    """`GET /backfills`: the backfills of all triggers, or of some, with their progress; newest first."""

    @may(Right.VIEW)
    async def get(self) -> None:
        engine = await self.engine()
        found = await engine.abackfills(
            self.query("namespace"),
            self.query("flowId"),
            self.query("triggerId"),
            going_on=self.query_flag("goingOn"),
        )
        self.answer_page([one.to_dict() for one in found], len(found))


async def move(engine: Engine, name: TriggerName, action: str) -> TriggerRow:
    """Pause, go on with or end the backfill of a trigger. Raises: ConflictError when it has none; NotFoundError."""
    names = (name.namespace, name.flow_id, name.trigger_id)
    row = await engine.atrigger(*names)
    if row.backfill is None:
        raise ConflictError(f"the trigger {name.trigger_id} of {name.namespace}.{name.flow_id} has no backfill")
    match action:
        case "pause":
            await engine.apause_backfill(row.backfill.id)
        case "unpause":
            await engine.aresume_backfill(row.backfill.id)
        case _:
            await engine.acancel_backfill(row.backfill.id)
    return await engine.atrigger(*names)
