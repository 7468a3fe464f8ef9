"""The task type that reads a stored JSON document, so that expressions can reach into it."""

from __future__ import annotations

import asyncio
import json

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.storage.scratch import stored
from nbflow.types import JsonValue

_MOST_BYTES = 10_000_000


@task_type(
    "io.kestra.plugin.core.types.Json",
    aliases=["read_json"],
    examples=[
        Example(
            """
            - id: write
              type: io.kestra.plugin.core.storage.Write
              content: '{"city": "Hanoi", "degrees": 31}'
            - id: read
              type: io.kestra.plugin.core.types.Json
              from: "{{ outputs.write.uri }}"
            - id: tell
              type: io.kestra.plugin.core.log.Log
              message: "{{ outputs.read.value.degrees }} degrees in {{ outputs.read.value.city }}"
            """,
            title="Reach into a stored document",
        )
    ],
)
class Json(RunnableTask):
    """Read a stored JSON file: its content is the output `value`."""

    class Output(RunnableTask.Output):
        value: JsonValue = Field(description="What the document holds.")

    from_: Dynamic[Text] = Field(alias="from", description="URI of the file.")

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(value=await asyncio.to_thread(self._read, ctx))

    def _read(self, ctx: RunContext) -> JsonValue:
        path = stored(ctx, self.from_, "from")
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise TaskFailedError(
                f"`{self.from_}` has {size:,} bytes: too many for an output",
                hint="hand its URI on, and read it in the task that needs it",
            )
        try:
            value: JsonValue = json.loads(path.read_bytes())
        except ValueError as cause:
            raise TaskFailedError(f"`{self.from_}` is no JSON document: {cause}") from cause
        return value
