"""The task type that splits a stored file."""

from __future__ import annotations

import asyncio
from typing import Annotated, Self

from pydantic import Field, PositiveInt, model_validator

from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.flow.batches import Batch, Splitter
from nbflow.tasks.scripts.settings import Size
from nbflow.tasks.storage.scratch import stored

_Size = Annotated[Size, Field(gt=0)]
_Separator = Annotated[Text, Field(min_length=1)]


@task_type(
    "io.kestra.plugin.core.storage.Split",
    aliases=["split"],
    old_names=["io.kestra.core.tasks.storages.Split"],
    examples=[
        Example(
            """
            - {id: lines, type: write_file, content: "a\\nb\\nc\\n"}
            - id: parts
              type: io.kestra.plugin.core.storage.Split
              from: "{{ outputs.lines.uri }}"
              rows: 2
            - id: show
              type: log
              message: "{{ outputs.parts.uris | length }} files"
            """,
            title="Two lines a file.",
        )
    ],
)
class Split(RunnableTask):
    """Split a stored file into several: by `bytes` when they are given, else into `partitions`, else by `rows`."""

    class Output(RunnableTask.Output):
        uris: list[str] = Field(description="URIs of the new files.")

    from_: Dynamic[Text] = Field(alias="from", description="URI of the file.")
    bytes: Dynamic[_Size] | None = Field(
        default=None, description="Size after which a file is full, such as 10MB; no item is cut."
    )
    partitions: Dynamic[PositiveInt] | None = Field(
        default=None, description="Number of files; the items are dealt out to them in turn."
    )
    rows: Dynamic[PositiveInt] | None = Field(default=None, description="Items in a file.")
    separator: Dynamic[_Separator] = Field(default="\n", description="What ends an item.")

    @model_validator(mode="after")
    def _says_how(self) -> Self:
        if self.bytes is None and self.partitions is None and self.rows is None:
            raise ValueError("needs `bytes`, `partitions` or `rows`")
        return self

    async def run(self, ctx: RunContext) -> Output:
        await asyncio.to_thread(stored, ctx, self.from_, "from")
        batch = Batch(bytes=self.bytes, partitions=self.partitions, rows=self.rows or 1, separator=self.separator)
        splitter = Splitter(ctx, self.from_.strip(), batch)
        # One file at a time: an execution that is killed is not to go on splitting.
        while await asyncio.to_thread(splitter.store_next):
            pass
        return self.Output(uris=splitter.take_list())
