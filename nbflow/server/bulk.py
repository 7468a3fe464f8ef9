"""The same for many executions over REST: named by their ids, or found by a query; all of them, or none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from nbflow.engine import Engine
from nbflow.errors import BulkError, ExecutionNotFoundError, Problem
from nbflow.model.state import State
from nbflow.server.errors import RequestError
from nbflow.server.execution_search import find_ids, read_asked
from nbflow.server.handler import ApiHandler, read_body
from nbflow.server.requests import Label, LabelsOfMany, read_list
from nbflow.server.rights import Right, may
from nbflow.server.steering import label_map, unqueue
from nbflow.types import JsonValue

MOST = 100_000
"""Executions that one request may change."""


class Bulk(ApiHandler):
    """`POST /executions/{action}/by-ids` or `/by-query`, and DELETE for `kill` and for deletion."""

    @may(Right.RUN)
    async def post(self, action: str, way: str) -> None:
        await self.do(action, way)

    async def do(self, action: str, way: str) -> None:
        engine = await self.engine()
        ids = await self._ids(engine, way)
        try:
            count = await self._all(engine, action, ids)
        except BulkError as refused:
            problems: list[JsonValue] = [
                {"message": problem.message, "invalidValue": problem.path, "path": problem.path}
                for problem in refused.problems
            ]
            self.answer({"message": refused.message, "invalids": problems, "status": 400, "title": "Bad Request"}, 400)
            return
        self.subject = f"executions/{action}: {', '.join(ids[:20])}{' …' if len(ids) > 20 else ''}"
        self.answer_bulk(count)

    async def _ids(self, engine: Engine, way: str) -> list[str]:
        if way == "by-query":
            return await asyncio.to_thread(find_ids, engine, read_asked(self.query_values()), MOST)
        return list(dict.fromkeys(read_list(str, self.request.body)))

    async def _all(self, engine: Engine, action: str, ids: list[str]) -> int:
        if action == "change-status":
            status = self.query("newStatus") or self.needed("status")
            await _each_ended(engine, ids, "change")
            for one in ids:
                await engine.achange_status(one, status)
        elif action == "unqueue":
            state = self.query("newState") or self.query("state")
            await _each_in(engine, ids, State.QUEUED, "unqueue")
            for one in ids:
                await unqueue(engine, one, state)
        elif action == "replay" and self.query_flag("latestRevision"):
            await _each_ended(engine, ids, "replay")
            for one in ids:
                record = await asyncio.to_thread(engine.record, one)
                newest = await engine.aflow(record.namespace, record.flow_id)
                await engine.areplay(one, revision=newest.revision)
        elif action == "delete" and self.query_flag("includeNonTerminated"):
            for one in ids:
                record = await asyncio.to_thread(engine.record, one)
                if not record.state.is_terminal:
                    await engine.akill(one)
                    await engine.await_(one)
            await engine.abulk(action, ids)
        else:
            return len(await engine.abulk(action, ids))
        return len(ids)


class BulkKill(Bulk):
    """`DELETE /executions/kill/by-ids` and `/by-query`."""

    @may(Right.RUN)
    async def delete(self, way: str) -> None:
        await self.do("kill", way)


class BulkDelete(Bulk):
    """`DELETE /executions/by-ids` and `/by-query`."""

    @may(Right.ADMINISTER)
    async def delete(self, way: str) -> None:
        await self.do("delete", way)


class BulkLabels(Bulk):
    """`POST /executions/labels/by-ids` and `/by-query`."""

    @may(Right.EDIT)
    async def post(self, action: str, way: str) -> None:
        await self.do(action, way)

    async def _ids(self, engine: Engine, way: str) -> list[str]:
        return await super()._ids(engine, way) if way == "by-query" else read_body(LabelsOfMany, self.request.body).ids

    async def _all(self, engine: Engine, action: str, ids: list[str]) -> int:
        try:
            labels = label_map(read_body(LabelsOfMany, self.request.body).labels)
        except RequestError:
            labels = label_map(read_list(Label, self.request.body))
        await _each_ended(engine, ids, "label")
        for one in ids:
            await engine.aset_labels(one, labels)
        return len(ids)


async def _each_ended(engine: Engine, ids: Sequence[str], verb: str) -> None:
    await _each_in(engine, ids, None, verb)


async def _each_in(engine: Engine, ids: Sequence[str], state: State | None, verb: str) -> None:
    """Raises: BulkError with each execution that is not in a state; None: that has not ended."""
    problems = await asyncio.to_thread(_problems, engine, ids, state, verb)
    if problems:
        raise BulkError(f"{len(problems)} of {len(ids)} executions cannot be dealt with so", problems)


def _problems(engine: Engine, ids: Sequence[str], state: State | None, verb: str) -> list[Problem]:
    problems = []
    for one in ids:
        try:
            now = engine.record(one).state
        except ExecutionNotFoundError as missing:
            problems.append(Problem(missing.message, path=one))
            continue
        if now is not state if state is not None else not now.is_terminal:
            problems.append(Problem(f"execution {one} is {now}: nobody can {verb} it", path=one))
    return problems
