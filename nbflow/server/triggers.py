"""Triggers over REST: how they stand, switching them, letting them go on, what they do next and did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from nbflow.engine import Engine
from nbflow.engine.scheduling.status import TriggerRow
from nbflow.errors import ConflictError, NbflowError
from nbflow.server.errors import RequestError
from nbflow.server.filters import Filter, Page, read_filter, read_page
from nbflow.server.handler import ApiHandler, read_body
from nbflow.server.matching import Row, matcher
from nbflow.server.multipart import read_date, with_zone
from nbflow.server.requests import BackfillRequest, TriggerName, TriggersSwitch, TriggerUpdate, read_list
from nbflow.server.rights import Right, may
from nbflow.server.tables import csv_text
from nbflow.types import JsonValue

FIELDS = {
    "q": "EQUALS",
    "namespace": "PREFIX",
    "flowId": "EQUALS",
    "triggerId": "EQUALS",
    "triggerState": "EQUALS",
    "workerId": "EQUALS",
    "locked": "EQUALS",
    "scope": "IN",
}
_SORTS = {
    "triggerId": "triggerId",
    "flowId": "flowId",
    "namespace": "namespace",
    "nextExecutionDate": "nextExecutionDate",
    "nextEvaluationDate": "nextExecutionDate",
    "date": "date",
    "lastTriggeredDate": "date",
}
Deed = Callable[[Engine, TriggerName], Awaitable[TriggerRow]]


class TriggerSearch(ApiHandler):
    """`GET /triggers/search`: a page of triggers with what their flows say of them."""

    @may(Right.VIEW)
    async def get(self) -> None:
        query = self.query_values()
        page, wanted = read_page(query), read_filter(query, FIELDS)
        engine = await self.engine()
        results, total = await asyncio.to_thread(_search, engine, page, wanted)
        self.answer_page(results, total)


class TriggersOfFlow(ApiHandler):
    """`GET /triggers/{namespace}/{flow}`: a page of the triggers of a flow."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str) -> None:
        page = read_page(self.query_values())
        engine = await self.engine()
        rows = await engine.atriggers(namespace, flow_id, self.query("q"))
        shapes = [shape(row) for row in rows]
        _sort(shapes, page)
        self.answer_page(shapes[page.offset : page.offset + page.size], len(shapes))


class Triggers(ApiHandler):
    """`PUT /triggers`: a trigger as it is to be, switched off or on, and perhaps with a backfill to begin."""

    @may(Right.EDIT)
    async def put(self) -> None:
        wanted = read_body(TriggerUpdate, self.request.body)
        engine = await self.engine()
        name = (wanted.namespace, wanted.flow_id, wanted.trigger_id)
        self.subject = f"triggers/{'/'.join(name)}"
        row = await engine.atrigger(*name)
        if wanted.disabled is not None and wanted.disabled != row.state.disabled:
            row = await engine.aset_trigger(*name, disabled=wanted.disabled)
        if wanted.backfill is not None:
            row = await begin_backfill(engine, wanted, wanted.backfill)
        self.answer(shape(row))


class SwitchTrigger(ApiHandler):
    """`PUT /triggers/set-disabled`: one trigger off or on."""

    @may(Right.EDIT)
    async def put(self) -> None:
        wanted = read_body(TriggerUpdate, self.request.body)
        if wanted.disabled is None:
            raise RequestError("the body must say `disabled`", path="disabled")
        engine = await self.engine()
        self.subject = f"triggers/{wanted.namespace}/{wanted.flow_id}/{wanted.trigger_id} disabled={wanted.disabled}"
        row = await engine.aset_trigger(wanted.namespace, wanted.flow_id, wanted.trigger_id, disabled=wanted.disabled)
        self.answer(shape(row))


class ManyTriggers(ApiHandler):
    """The same for many triggers, named by the body or found by a query; those that cannot are skipped."""

    async def names(self, engine: Engine, way: str) -> list[TriggerName]:
        """Raises: RequestError."""
        if way == "by-query":
            wanted = read_filter(self.query_values(), FIELDS)
            return await asyncio.to_thread(_names, engine, wanted)
        return read_list(TriggerName, self.request.body)

    async def each(self, engine: Engine, names: list[TriggerName], deed: Deed) -> None:
        """Do something to each, and say to how many it was done; a conflict is no reason to stop."""
        done = 0
        for name in names:
            try:
                await deed(engine, name)
            except ConflictError:
                continue
            done += 1
        self.answer_bulk(done)


class SwitchTriggers(ManyTriggers):
    """`POST /triggers/set-disabled/by-triggers` and `/by-query`."""

    @may(Right.EDIT)
    async def post(self, way: str) -> None:
        engine = await self.engine()
        if way == "by-query":
            disabled = self.query_flag("disabled", True)
            names = await self.names(engine, way)
        else:
            wanted = read_body(TriggersSwitch, self.request.body)
            disabled, names = wanted.disabled, wanted.triggers
        await self.each(
            engine,
            names,
            lambda engine, name: engine.aset_trigger(name.namespace, name.flow_id, name.trigger_id, disabled=disabled),
        )


class UnlockTriggers(ManyTriggers):
    """`POST /triggers/unlock/by-triggers` and `/by-query`."""

    @may(Right.EDIT)
    async def post(self, way: str) -> None:
        engine = await self.engine()
        names = await self.names(engine, way)
        await self.each(
            engine, names, lambda engine, name: engine.aunlock_trigger(name.namespace, name.flow_id, name.trigger_id)
        )


class DeleteTriggers(ManyTriggers):
    """`DELETE /triggers/delete/by-triggers` and `/by-query`: those that their flows still have are skipped."""

    @may(Right.EDIT)
    async def delete(self, way: str) -> None:
        engine = await self.engine()
        done = 0
        for name in await self.names(engine, way):
            try:
                await engine.adelete_trigger(name.namespace, name.flow_id, name.trigger_id)
            except ConflictError:
                continue
            done += 1
        self.answer_bulk(done)


class OneTrigger(ApiHandler):
    """`/triggers/{namespace}/{flow}/{trigger}`: how it stands; DELETE forgets one that its flow no longer has."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str, trigger_id: str) -> None:
        engine = await self.engine()
        self.answer(shape(await engine.atrigger(namespace, flow_id, trigger_id)))

    @may(Right.EDIT)
    async def delete(self, namespace: str, flow_id: str, trigger_id: str) -> None:
        engine = await self.engine()
        await engine.adelete_trigger(namespace, flow_id, trigger_id)
        self.answer_nothing()


class MoveTrigger(ApiHandler):
    """`POST /triggers/{namespace}/{flow}/{trigger}/unlock` and `/restart`."""

    @may(Right.EDIT)
    async def post(self, namespace: str, flow_id: str, trigger_id: str, action: str) -> None:
        engine = await self.engine()
        verb = engine.aunlock_trigger if action == "unlock" else engine.arestart_trigger
        self.answer(shape(await verb(namespace, flow_id, trigger_id)))


class NextDates(ApiHandler):
    """`GET /triggers/{namespace}/{flow}/{trigger}/next?n=10`: when a schedule fires next."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str, trigger_id: str) -> None:
        engine = await self.engine()
        n = min(max(self.query_int("n") or 10, 1), 1000)
        flow = await engine.aflow(namespace, flow_id)
        dates = await engine.anext_dates(flow, trigger_id, n, after=read_date(self.query("after"), "after"))
        self.answer([date.isoformat() for date in dates])


class Scheduler(ApiHandler):
    """`GET /scheduler`: whether a scheduler runs, where, what comes next and what was missed."""

    @may(Right.VIEW)
    async def get(self) -> None:
        engine = await self.engine()
        self.answer(_without_nulls((await engine.ascheduler_status()).to_dict()))


class TriggerTable(ApiHandler):
    """`GET /triggers/export/by-query/csv`."""

    @may(Right.VIEW)
    async def get(self) -> None:
        wanted = read_filter(self.query_values(), FIELDS)
        engine = await self.engine()
        rows = await asyncio.to_thread(_rows, engine, wanted)
        heads = ("namespace", "flowId", "triggerId", "type", "kind", "disabled", "date", "nextExecutionDate", "locked")
        shapes = [shape(row) for row in rows]
        text = csv_text(heads, ([one.get(head) for head in heads] for one in shapes))
        self.answer_text(text, "text/csv; charset=utf-8")


async def begin_backfill(engine: Engine, name: TriggerName, wanted: BackfillRequest) -> TriggerRow:
    """Begin a backfill; the trigger with it. Raises: ConflictError when one goes on; NotFoundError, InputError."""
    labels = wanted.labels or {}
    given = labels if isinstance(labels, dict) else {label.key: label.value for label in labels}
    names = (name.namespace, name.flow_id, name.trigger_id)
    end = None if wanted.dates is not None else with_zone(wanted.end) or datetime.now(UTC)
    dates = None if wanted.dates is None else [moment for date in wanted.dates if (moment := with_zone(date))]
    made = await engine.acreate_backfill(
        *names,
        with_zone(wanted.start),
        end,
        dates=dates,
        inputs=wanted.inputs,
        labels=given,
        order=wanted.order,
        parallelism=wanted.parallelism,
        only=wanted.only,
        dry_run=wanted.dry_run,
    )
    row = await engine.atrigger(*names)
    return replace(row, backfill=made) if wanted.dry_run or row.backfill is None else row


def shape(row: TriggerRow) -> dict[str, JsonValue]:
    """Kestra's JSON of a trigger's state: a key that has no value is left out, but `date`, which strict models need."""
    found = _without_nulls(row.to_dict())
    found.setdefault("date", found.get("nextExecutionDate", found["updatedAt"]))
    backfill = found.get("backfill")
    if isinstance(backfill, dict):
        found["backfill"] = _without_nulls(backfill)
    return found


def _without_nulls(shape: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {key: value for key, value in shape.items() if value is not None}


def _search(engine: Engine, page: Page, wanted: Filter) -> tuple[list[JsonValue], int]:
    rows = {row.state.key: row for row in _rows(engine, wanted)}
    shapes = [shape(row) for row in rows.values()]
    _sort(shapes, page)
    results: list[JsonValue] = []
    for state in shapes[page.offset : page.offset + page.size]:
        written = _definition(engine, state)
        results.append({"trigger": written, "state": state, "abstractTrigger": written, "triggerContext": state})
    return results, len(shapes)


def _definition(engine: Engine, state: dict[str, JsonValue]) -> JsonValue:
    """A trigger as its flow writes it; what is known of it where that is gone."""
    trigger_id = state["triggerId"]
    known: JsonValue = {"id": trigger_id, "type": state.get("type", ""), "disabled": state.get("disabled", False)}
    try:
        flow = engine.flow(str(state["namespace"]), str(state["flowId"])).to_dict()
    except NbflowError:
        return known
    written = flow.get("triggers")
    if not isinstance(written, list):
        return known
    return next((one for one in written if isinstance(one, dict) and one.get("id") == trigger_id), known)


def _rows(engine: Engine, wanted: Filter) -> list[TriggerRow]:
    fits = matcher(wanted)
    return [row for row in engine.triggers() if fits(_row(row))]


def _row(row: TriggerRow) -> Row:
    namespace, flow_id, trigger_id = row.state.key
    return {
        "namespace": namespace,
        "flowId": flow_id,
        "triggerId": trigger_id,
        "id": f"{flow_id} {trigger_id}",
        "locked": row.is_locked,
        "triggerState": "DISABLED" if row.is_disabled else "ENABLED",
    }


def _names(engine: Engine, wanted: Filter) -> list[TriggerName]:
    keys = [row.state.key for row in _rows(engine, wanted)]
    return [TriggerName(namespace=key[0], flow_id=key[1], trigger_id=key[2]) for key in keys]


def _sort(shapes: list[dict[str, JsonValue]], page: Page) -> None:
    for name, is_descending in reversed(page.sort):
        if name not in _SORTS:
            raise RequestError(
                f"triggers cannot be sorted by `{name}`", path="sort", hint=f"there are {', '.join(_SORTS)}"
            )
        key = _SORTS[name]
        shapes.sort(key=partial(_text_at, key), reverse=is_descending)


def _text_at(key: str, shape: dict[str, JsonValue]) -> str:
    return str(shape.get(key) or "")
