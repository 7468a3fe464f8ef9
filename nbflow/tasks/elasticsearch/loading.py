"""Task types that bring a stored file into indices of Elasticsearch, a portion a request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.elasticsearch.connection import ElasticsearchTask
from nbflow.tasks.storage.scratch import stored

_SHOWN = 5
_NEEDS = "an Elasticsearch cluster"

Operation = list[bytes]
"""The lines of one operation: what to do, and with what."""


class OpType(StrEnum):
    """What happens to a document."""

    INDEX = "INDEX"
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class BulkTask(ElasticsearchTask):
    """What tasks declare that send many documents."""

    class Output(RunnableTask.Output):
        size: int = Field(description="Documents sent.")

    from_: Dynamic[Text] | None = Field(
        default=None, alias="from", description="URI of the stored file, JSON Lines; `pluginDefaults` may set it."
    )
    chunk: Dynamic[PositiveInt] = Field(default=1000, description="Documents in one request.")

    async def load(self, ctx: RunContext, operations: Any) -> Output:
        """Send what the function `operations` makes of the file. Raises: TaskFailedError when a document is refused."""
        if not self.from_:
            raise TaskFailedError("`from` names no file", hint="hand over the `uri` that a task put out")
        source = await asyncio.to_thread(stored, ctx, self.from_, "from")
        waiting: Iterator[Operation] = operations(source)
        sent = requests = 0
        async with self.client() as client:
            params = {"routing": self.routing} if self.routing else None
            while portion := await asyncio.to_thread(lambda: list(islice(waiting, self.chunk))):
                lines = b"".join(line + b"\n" for operation in portion for line in operation)
                _, answer = await client.call("POST", "/_bulk", params=params, lines=lines)
                _check(answer, sent)
                sent += len(portion)
                requests += 1
        ctx.metric("records", sent)
        ctx.metric("requests.count", requests)
        ctx.log.info("%d documents sent in %d requests", sent, requests)
        return self.Output(size=sent)


def _check(answer: Any, sent: int) -> None:
    """Raises: TaskFailedError which names the first documents that were refused."""
    if not isinstance(answer, dict) or not answer.get("errors"):
        return
    refused = []
    for number, item in enumerate(answer.get("items", []), sent + 1):
        error = next(iter(item.values())).get("error")
        if error:
            reason = error.get("reason") or error.get("type") if isinstance(error, dict) else error
            refused.append(f"document {number}: {reason}")
    more = f"; and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
    raise TaskFailedError(f"{len(refused)} documents were refused: {'; '.join(refused[:_SHOWN])}{more}")


@task_type(
    "io.kestra.plugin.elasticsearch.Load",
    aliases=["elasticsearch_load"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.elasticsearch.Load
            connection:
              hosts:
                - http://localhost:9200
            from: "{{ inputs.file }}"
            index: users
            idKey: id
            """,
            title="Each line of a file becomes a document",
            needs=_NEEDS,
        )
    ],
)
class Load(BulkTask):
    """Bring the rows of a stored file into an index of Elasticsearch."""

    index: Dynamic[Text] = Field(description="The index.")
    op_type: Dynamic[OpType] = Field(default=OpType.INDEX, description="INDEX replaces a document, CREATE fails.")
    id_key: Dynamic[Text] | None = Field(default=None, description="Field with the id; a new one unless said.")
    remove_id_key: Dynamic[bool] = Field(default=True, description="Whether to take that field out of the document.")

    async def run(self, ctx: RunContext) -> BulkTask.Output:
        return await self.load(ctx, self._operations)

    def _operations(self, source: Path) -> Iterator[Operation]:
        for number, row in _rows(source):
            about: dict[str, Any] = {"_index": self.index}
            if self.id_key is not None:
                if row.get(self.id_key) is None:
                    raise TaskFailedError(f"row {number} has no `{self.id_key}`", hint="mend `idKey`")
                about["_id"] = str(row.pop(self.id_key) if self.remove_id_key else row[self.id_key])
            head = json.dumps({self.op_type.lower(): about}).encode()
            if self.op_type is OpType.DELETE:
                yield [head]
            else:
                body = {"doc": row} if self.op_type is OpType.UPDATE else row
                yield [head, json.dumps(body, ensure_ascii=False).encode()]


@task_type(
    "io.kestra.plugin.elasticsearch.Bulk",
    aliases=["elasticsearch_bulk"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.elasticsearch.Bulk
            connection:
              hosts:
                - http://localhost:9200
            from: "{{ inputs.file }}"
            """,
            title="A file in the format of the bulk API",
            needs=_NEEDS,
        )
    ],
)
class Bulk(BulkTask):
    """Send a stored file of operations, written as the bulk API of Elasticsearch wants them."""

    async def run(self, ctx: RunContext) -> BulkTask.Output:
        return await self.load(ctx, _written_operations)


def _written_operations(source: Path) -> Iterator[Operation]:
    """Operations with the lines that belong to them: all but `delete` have a second one."""
    with source.open("rb") as file:
        lines = (line for line in map(bytes.strip, file) if line)
        for number, head in enumerate(lines, 1):
            try:
                kind = next(iter(json.loads(head)))
            except (ValueError, TypeError, StopIteration) as cause:
                raise TaskFailedError(f"operation {number} is none: {head[:100].decode(errors='replace')}") from cause
            if kind == "delete":
                yield [head]
                continue
            body = next(lines, None)
            if body is None:
                raise TaskFailedError(f"operation {number}, `{kind}`, has no document")
            yield [head, body]


def _rows(source: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with source.open("rb") as file:
        for number, line in enumerate((line for line in map(bytes.strip, file) if line), 1):
            try:
                row = json.loads(line)
            except ValueError as cause:
                raise TaskFailedError(
                    f"row {number} is no JSON: {line[:100].decode(errors='replace')}",
                    hint="the file must be JSON Lines: one JSON value a line",
                ) from cause
            if not isinstance(row, dict):
                raise TaskFailedError(f"row {number} is no map")
            yield number, row
