"""Task types that keep values under keys of a namespace, and look them up again."""

from __future__ import annotations

import asyncio
from enum import StrEnum

from pydantic import Field, field_validator

from nbflow.errors import TaskFailedError
from nbflow.model.namespace import lineage
from nbflow.nearest import did_you_mean
from nbflow.plugins import Duration, Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.types import JsonValue


class KvType(StrEnum):
    """What a value is kept as."""

    STRING = "STRING"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    DATETIME = "DATETIME"
    DATE = "DATE"
    DURATION = "DURATION"
    JSON = "JSON"


@task_type(
    "io.kestra.plugin.core.kv.Set",
    aliases=["kv_set"],
    examples=[
        Example(
            """
            - id: remember
              type: io.kestra.plugin.core.kv.Set
              key: last_order
              value: "42"
              kvType: NUMBER
            - id: show
              type: log
              message: "{{ kv('last_order') }}"
            """,
            title="Keep a number for later executions.",
        )
    ],
)
class Set(RunnableTask):
    """Keep a value under a key of a namespace."""

    key: Dynamic[Text] = Field(description="Key of the value.")
    value: Dynamic[JsonValue] = Field(
        description="The value. Text unless it is a single expression: that keeps the type of its value."
    )
    namespace: Dynamic[Text] | None = Field(default=None, description="Whose key it is; the flow's unless said.")
    overwrite: Dynamic[bool] = Field(default=True, description="Whether a value that exists is replaced; else fail.")
    ttl: Dynamic[Duration] | None = Field(default=None, description="How long it is kept; for ever unless said.")
    kv_type: Dynamic[KvType] | None = Field(default=None, description="What it is read and kept as.")
    kv_description: Dynamic[Text] | None = Field(default=None, description="What the value is for.")

    @field_validator("value", mode="before")
    @classmethod
    def _read_plain_value(cls, value: object) -> object:
        # `value: 5` is the text 5, as in Kestra; what an expression gives is not seen here.
        if isinstance(value, bool):
            return str(value).lower()
        return str(value) if isinstance(value, int | float) else value

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        await asyncio.to_thread(
            ctx.kv.put,
            await _place(ctx, self.namespace),
            self.key,
            self.value,
            ctx.now(),
            type=self.kv_type,
            description=self.kv_description,
            ttl=self.ttl,
            overwrite=self.overwrite,
        )
        return self.Output()


@task_type(
    "io.kestra.plugin.core.kv.Get",
    aliases=["kv_get"],
    examples=[
        Example(
            """
            - {id: remember, type: kv_set, key: city, value: Oslo}
            - id: recall
              type: io.kestra.plugin.core.kv.Get
              key: city
            - id: show
              type: log
              message: "{{ outputs.recall.value }}"
            """,
            title="Read a value.",
        )
    ],
)
class Get(RunnableTask):
    """Look up the value of a key."""

    class Output(RunnableTask.Output):
        value: JsonValue = Field(default=None, description="The value, of the type it was kept as; null if none.")

    key: Dynamic[Text] = Field(description="Key of the value.")
    namespace: Dynamic[Text] | None = Field(
        default=None, description="Whose key it is; unless said the flow's, then the ones around it."
    )
    error_on_missing: Dynamic[bool] = Field(default=False, description="Whether to fail when there is no value.")

    async def run(self, ctx: RunContext) -> Output:
        places = [await _place(ctx, self.namespace)] if self.namespace else list(reversed(lineage(ctx.namespace)))
        for namespace in places:
            found = await asyncio.to_thread(ctx.kv.get, namespace, self.key, ctx.now())
            if found is not None:
                return self.Output(value=found.value)
        if self.error_on_missing:
            await asyncio.to_thread(_refuse_missing, ctx, places[0], self.key)
        return self.Output()


@task_type(
    "io.kestra.plugin.core.kv.Delete",
    aliases=["kv_delete"],
    examples=[
        Example(
            """
            - {id: remember, type: kv_set, key: city, value: Oslo}
            - id: forget
              type: io.kestra.plugin.core.kv.Delete
              key: city
              errorOnMissing: true
            """,
            title="Delete a value, and fail when there is none.",
        )
    ],
)
class Delete(RunnableTask):
    """Delete the value of a key."""

    class Output(RunnableTask.Output):
        deleted: bool = Field(description="Whether there was a value.")

    key: Dynamic[Text] = Field(description="Key of the value.")
    namespace: Dynamic[Text] | None = Field(default=None, description="Whose key it is; the flow's unless said.")
    error_on_missing: Dynamic[bool] = Field(default=False, description="Whether to fail when there is no value.")

    async def run(self, ctx: RunContext) -> Output:
        namespace = await _place(ctx, self.namespace)
        deleted = await asyncio.to_thread(ctx.kv.delete, namespace, self.key, ctx.now())
        if self.error_on_missing and not deleted:
            await asyncio.to_thread(_refuse_missing, ctx, namespace, self.key)
        return self.Output(deleted=deleted)


@task_type(
    "io.kestra.plugin.core.kv.GetKeys",
    aliases=["kv_keys"],
    examples=[
        Example(
            """
            - {id: one, type: kv_set, key: order_1, value: a}
            - {id: two, type: kv_set, key: order_2, value: b}
            - id: keys
              type: io.kestra.plugin.core.kv.GetKeys
              prefix: order_
            - id: show
              type: log
              message: "{{ outputs.keys.keys }}"
            """,
            title="The keys that begin alike.",
        )
    ],
)
class GetKeys(RunnableTask):
    """List the keys of a namespace."""

    class Output(RunnableTask.Output):
        keys: list[str] = Field(description="The keys found, sorted.")

    prefix: Dynamic[Text] | None = Field(default=None, description="Only keys that begin so.")
    namespace: Dynamic[Text] | None = Field(default=None, description="Whose keys; the flow's unless said.")

    async def run(self, ctx: RunContext) -> Output:
        entries = await asyncio.to_thread(ctx.kv.list, await _place(ctx, self.namespace), ctx.now())
        return self.Output(keys=[entry.key for entry in entries if entry.key.startswith(self.prefix or "")])


async def _place(ctx: RunContext, named: str | None) -> str:
    """The namespace whose key it is. Raises: TaskFailedError for one that nobody knows: most likely it is misspelt."""
    if named is None or named in lineage(ctx.namespace) or await asyncio.to_thread(ctx.kv.knows, named):
        return named or ctx.namespace
    raise TaskFailedError(f"there is no namespace `{named}`", hint="check its spelling, or deploy a flow to it first")


def _refuse_missing(ctx: RunContext, namespace: str, key: str) -> None:
    """Raises: TaskFailedError, which says what key may be meant."""
    known = [entry.key for entry in ctx.kv.list(namespace, ctx.now())]
    raise TaskFailedError(
        f"there is no value under the key `{key}` of {namespace}",
        hint=did_you_mean(key, known) or "set it, or leave `errorOnMissing` out",
    )
