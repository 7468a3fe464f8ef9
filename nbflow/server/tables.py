"""Searches as CSV over REST: executions, flows and triggers as a table for spreadsheets."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterable, Sequence

from nbflow.engine import Engine
from nbflow.model.execution import instant
from nbflow.server.execution_search import Asked, read_asked
from nbflow.server.filters import Filter, read_filter
from nbflow.server.flows import FIELDS, found_flows
from nbflow.server.handler import ApiHandler
from nbflow.server.rights import Right, may

_MOST = 100_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ExecutionTable(ApiHandler):
    """`GET /executions/export/by-query/csv`."""

    @may(Right.VIEW)
    async def get(self) -> None:
        asked = read_asked(self.query_values())
        engine = await self.engine()
        self.answer_text(await asyncio.to_thread(_executions, engine, asked), "text/csv; charset=utf-8")


class FlowTable(ApiHandler):
    """`GET /flows/export/by-query/csv`."""

    @may(Right.VIEW)
    async def get(self) -> None:
        wanted = read_filter(self.query_values(), FIELDS)
        engine = await self.engine()
        self.answer_text(await asyncio.to_thread(_flows, engine, wanted), "text/csv; charset=utf-8")


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV; a text that a spreadsheet would take for a formula is quoted with `'`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _executions(engine: Engine, asked: Asked) -> str:
    found = [] if asked.get("states") == () else engine.store.executions.list(**asked, limit=_MOST)
    heads = ("id", "namespace", "flowId", "flowRevision", "state", "startDate", "endDate", "labels")
    return csv_text(
        heads,
        (
            (
                one.id,
                one.namespace,
                one.flow_id,
                one.flow_revision,
                one.state,
                instant(one.start),
                instant(one.end) if one.end else None,
                ",".join(f"{key}:{value}" for key, value in one.labels),
            )
            for one in found
        ),
    )


def _flows(engine: Engine, wanted: Filter) -> str:
    rows = ((one.namespace, one.id, one.revision, one.disabled) for one in found_flows(engine, wanted))
    return csv_text(("namespace", "id", "revision", "disabled"), rows)
