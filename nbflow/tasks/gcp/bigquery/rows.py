"""How rows of BigQuery come: asked for page by page, and read by the schema.

REST sends `{"f": [{"v": "1"}, …]}`: all values as text, a record as a row of its own, a repeated one as a list.
Source: BigQuery's REST reference, `jobs.getQueryResults`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from nbflow.tasks.gcp.session import Session
from nbflow.types import JsonValue

_PAGE = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Pages:
    """The rows of a query that has ended; `total` is known once the first page has come."""

    def __init__(self, session: Session, job: Mapping[str, Any], most: int | None = None) -> None:
        self.total = 0
        self._session = session
        self._reference = job["jobReference"]
        self._most = most

    async def rows(self) -> AsyncIterator[dict[str, JsonValue]]:
        """The rows, as JSON."""
        token: str | None = None
        given = 0
        while True:
            page = await self._session.call(
                "GET",
                f"/bigquery/v2/projects/{self._session.require_project()}/queries/{self._reference['jobId']}",
                params={
                    "location": self._reference.get("location"),
                    "maxResults": min(self._most - given, _PAGE) if self._most is not None else _PAGE,
                    "pageToken": token,
                    "formatOptions.useInt64Timestamp": "true",
                },
            )
            self.total = int(page.get("totalRows") or 0)
            fields = page.get("schema", {}).get("fields", [])
            for row in page.get("rows", []):
                yield read_row(fields, row)
                given += 1
            token = page.get("pageToken")
            if not token or (self._most is not None and given >= self._most):
                return


def read_row(fields: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> dict[str, JsonValue]:
    """A row, or a record in one, as JSON."""
    return {field["name"]: _read_cell(field, cell["v"]) for field, cell in zip(fields, row["f"], strict=True)}


def _read_cell(field: Mapping[str, Any], value: Any) -> JsonValue:
    if value is None:
        return None
    if field.get("mode") == "REPEATED":
        return [_read_value(field, item["v"]) for item in value]
    return _read_value(field, value)


def _read_value(field: Mapping[str, Any], value: Any) -> JsonValue:
    if value is None:
        return None
    match field["type"]:
        case "INTEGER" | "INT64":
            return int(value)
        case "FLOAT" | "FLOAT64" | "NUMERIC" | "BIGNUMERIC":
            number = float(value)
            return number if abs(number) != float("inf") and number == number else None
        case "BOOLEAN" | "BOOL":
            return str(value).lower() == "true"
        case "TIMESTAMP":
            return (_EPOCH + timedelta(microseconds=int(value))).isoformat().replace("+00:00", "Z")
        case "RECORD" | "STRUCT":
            return read_row(field["fields"], value)
        case "JSON":
            parsed: JsonValue = json.loads(value)
            return parsed
    return str(value)
