"""Task types that put, get and find documents of Elasticsearch, or send it any request."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.elasticsearch.connection import ElasticsearchTask
from nbflow.tasks.elasticsearch.loading import OpType
from nbflow.tasks.sql.values import json_line
from nbflow.types import JsonValue

_NEEDS = "an Elasticsearch cluster"


class FetchType(StrEnum):
    """What to do with what was found."""

    STORE = "STORE"
    FETCH = "FETCH"
    FETCH_ONE = "FETCH_ONE"
    NONE = "NONE"


class RefreshPolicy(StrEnum):
    """When a search sees the document."""

    IMMEDIATE = "IMMEDIATE"
    WAIT_UNTIL = "WAIT_UNTIL"
    NONE = "NONE"


_REFRESH = {RefreshPolicy.IMMEDIATE: "true", RefreshPolicy.WAIT_UNTIL: "wait_for", RefreshPolicy.NONE: "false"}


@task_type(
    "io.kestra.plugin.elasticsearch.Search",
    aliases=["elasticsearch_search"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.elasticsearch.Search
            connection:
              hosts:
                - http://localhost:9200
            indexes:
              - users
            request:
              query:
                term:
                  name: Ada
            """,
            needs=_NEEDS,
        )
    ],
)
class Search(ElasticsearchTask):
    """Find documents of Elasticsearch."""

    class Output(RunnableTask.Output):
        size: int = Field(description="Documents that came.")
        total: int | None = Field(default=None, description="Documents that there are.")
        rows: list[dict[str, JsonValue]] | None = Field(default=None, description="The documents, with FETCH.")
        row: dict[str, JsonValue] | None = Field(default=None, description="The first document, with FETCH_ONE.")
        uri: Text | None = Field(default=None, description="URI of the stored documents (JSON Lines), with STORE.")

    indexes: Dynamic[list[Text]] = Field(default_factory=list, description="Where to look; everywhere unless said.")
    request: Dynamic[JsonValue] = Field(description="The search, as a map or as JSON.")
    content_type: Text = Field(default="JSON", description="Accepted; the request is JSON.")
    fetch_type: Dynamic[FetchType] = Field(default=FetchType.FETCH, description="STORE, FETCH, FETCH_ONE or NONE.")

    async def run(self, ctx: RunContext) -> Output:
        where = ",".join(quote(index, safe="*") for index in self.indexes)
        async with self.client() as client:
            params = {"routing": self.routing} if self.routing else None
            path = f"/{where}/_search" if where else "/_search"
            _, answer = await client.call("POST", path, params=params, body=_as_json(self.request, "request"))
        hits = answer.get("hits", {})
        rows: list[dict[str, JsonValue]] = [hit.get("_source", {}) for hit in hits.get("hits", [])]
        total = hits.get("total")
        output = self.Output(size=len(rows), total=total.get("value") if isinstance(total, dict) else total)
        if self.fetch_type is FetchType.FETCH:
            output.rows = rows
        elif self.fetch_type is FetchType.FETCH_ONE:
            output.row = rows[0] if rows else {}
        elif self.fetch_type is FetchType.STORE:
            lines = "".join(map(json_line, rows))
            output.uri = await asyncio.to_thread(ctx.store_bytes, lines.encode(), "hits.jsonl")
        ctx.metric("records", len(rows))
        return output


@task_type(
    "io.kestra.plugin.elasticsearch.Get",
    aliases=["elasticsearch_get"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.elasticsearch.Get
            index: users
            key: "1"
            """,
            needs=_NEEDS,
        )
    ],
)
class Get(ElasticsearchTask):
    """Get one document of Elasticsearch."""

    class Output(RunnableTask.Output):
        row: dict[str, JsonValue] | None = Field(default=None, description="The document; null if there is none.")

    index: Dynamic[Text] = Field(description="The index.")
    key: Dynamic[Text] = Field(description="Id of the document.")
    doc_version: Dynamic[int] | None = Field(default=None, description="Version it has to have.")
    error_on_missing: Dynamic[bool] = Field(default=False, description="Whether to fail when there is none.")

    async def run(self, ctx: RunContext) -> Output:
        params = {"routing": self.routing, "version": None if self.doc_version is None else str(self.doc_version)}
        async with self.client() as client:
            status, answer = await client.call(
                "GET", _document(self.index, self.key), params=_without_none(params), allowed=(404,)
            )
        if status == 404 and (self.error_on_missing or "error" in answer):
            raise TaskFailedError(f"there is no document `{self.key}` in `{self.index}`")
        return self.Output(row=answer.get("_source"))


@task_type(
    "io.kestra.plugin.elasticsearch.Put",
    aliases=["elasticsearch_put"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.elasticsearch.Put
            index: users
            key: "1"
            value:
              name: Ada
            """,
            needs=_NEEDS,
        )
    ],
)
class Put(ElasticsearchTask):
    """Put one document into an index of Elasticsearch."""

    class Output(RunnableTask.Output):
        id: Text = Field(description="Id of the document.")
        result: Text = Field(description="What happened, such as `created`.")
        version: int | None = Field(default=None, description="Version of the document.")

    index: Dynamic[Text] = Field(description="The index.")
    key: Dynamic[Text] | None = Field(default=None, description="Id of the document; a new one unless said.")
    value: Dynamic[JsonValue] = Field(description="The document, as a map or as JSON.")
    op_type: Dynamic[OpType] | None = Field(default=None, description="INDEX replaces a document, CREATE fails.")
    refresh_policy: Dynamic[RefreshPolicy] = Field(
        default=RefreshPolicy.NONE, description="Whether a search sees it at once, or whether to wait until it does."
    )
    content_type: Text = Field(default="JSON", description="Accepted; the document is JSON.")

    async def run(self, ctx: RunContext) -> Output:
        params = {
            "refresh": _REFRESH[self.refresh_policy],
            "op_type": self.op_type.lower() if self.op_type else None,
            "routing": self.routing,
        }
        async with self.client() as client:
            _, answer = await client.call(
                "POST" if self.key is None else "PUT",
                _document(self.index, self.key),
                params=_without_none(params),
                body=_as_json(self.value, "value"),
            )
        return self.Output(id=answer["_id"], result=answer["result"], version=answer.get("_version"))


@task_type(
    "io.kestra.plugin.elasticsearch.Request",
    aliases=["elasticsearch_request"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.elasticsearch.Request
            method: GET
            endpoint: _cluster/health
            """,
            needs=_NEEDS,
        )
    ],
)
class Request(ElasticsearchTask):
    """Send any request to Elasticsearch."""

    class Output(RunnableTask.Output):
        status: int = Field(description="Status code of the answer.")
        response: JsonValue = Field(default=None, description="The answer.")

    method: Dynamic[Text] = Field(default="GET", description="GET, POST, PUT, DELETE or HEAD.")
    endpoint: Dynamic[Text] = Field(description="Path, such as `users/_count`.")
    parameters: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Parameters of the address.")
    body: Dynamic[JsonValue] = Field(default=None, description="Body, as a map or as JSON.")

    async def run(self, ctx: RunContext) -> Output:
        async with self.client() as client:
            status, answer = await client.call(
                self.method.upper(),
                f"/{self.endpoint.lstrip('/')}",
                params=self.parameters or None,
                body=None if self.body is None else _as_json(self.body, "body"),
            )
        return self.Output(status=status, response=answer)


def _document(index: str, key: str | None) -> str:
    path = f"/{quote(index, safe='')}/_doc"
    return path if key is None else f"{path}/{quote(key, safe='')}"


def _as_json(value: JsonValue, name: str) -> JsonValue:
    if not isinstance(value, str):
        return value
    try:
        found: JsonValue = json.loads(value)
    except ValueError as cause:
        raise TaskFailedError(f"`{name}` is no JSON: {value[:200]!r}") from cause
    return found


def _without_none(values: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}
