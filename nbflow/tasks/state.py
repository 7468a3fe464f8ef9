"""Task types that keep data of a flow from one execution to the next, in the key-value store of its namespace."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.model.dynamic import AS_TEXT
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.types import JsonValue

_UNFIT = re.compile(r"[^a-zA-Z0-9._-]+")


class StateTask(RunnableTask):
    """What all tasks on states share: which state is meant."""

    name: Dynamic[Text] = Field(default="default", description="Name of the state.")
    namespace: Dynamic[bool] = Field(
        default=False, description="Whether all flows of the namespace share it; else each flow has its own."
    )
    taskrun_value: Dynamic[bool] = Field(
        default=True, description="Whether each value of a loop around the task has a state of its own."
    )

    def _key(self, ctx: RunContext) -> str:
        """The key in the key-value store that the state lies under, spelled as in Kestra."""
        parts = [] if self.namespace else [_UNFIT.sub("-", ctx.flow_id.lower()).replace("_", "-")]
        parts += ["states", f"tasks-states_{self.name}"]
        task_run = ctx.variables.get("taskrun")
        value = task_run.get("value") if self.taskrun_value and isinstance(task_run, Mapping) else None
        if value is not None:
            parts.append(hashlib.sha256(str(value).encode()).hexdigest()[:32])
        return "_".join(parts)

    def _read(self, ctx: RunContext) -> dict[str, JsonValue] | None:
        found = ctx.kv.get(ctx.namespace, self._key(ctx), ctx.now())
        if found is None:
            return None
        if not isinstance(found.value, dict):
            raise TaskFailedError(
                f"the state `{self.name}` holds no names and values", hint=f"somebody wrote the key `{self._key(ctx)}`"
            )
        return dict(found.value)

    def _missing(self, ctx: RunContext) -> TaskFailedError:
        whose = ctx.namespace if self.namespace else f"{ctx.namespace}.{ctx.flow_id}"
        return TaskFailedError(
            f"there is no state `{self.name}` of {whose}", hint="set it, or leave `errorOnMissing` out"
        )


@task_type(
    "io.kestra.plugin.core.state.Set",
    aliases=["state_set"],
    old_names=["io.kestra.core.tasks.states.Set"],
    examples=[
        Example(
            """
            id: keep
            type: io.kestra.plugin.core.state.Set
            data:
              last: "{{ execution.startDate }}"
            """,
            title="Keep where this flow stands.",
        )
    ],
)
class Set(StateTask):
    """Add data to a state. Two executions that do so at once may overwrite each other's data."""

    class Output(RunnableTask.Output):
        count: int = Field(description="Names in the state now.")
        key: str = Field(description="Key in the key-value store that it lies under.")

    data: Annotated[Dynamic[dict[str, JsonValue]], AS_TEXT] = Field(
        default_factory=dict,
        description="Names and values, merged into what is there; what an expression gives is text, as in Kestra.",
    )

    async def run(self, ctx: RunContext) -> Output:
        return await asyncio.to_thread(self._merge, ctx)

    def _merge(self, ctx: RunContext) -> Output:
        data, key = _merged(self._read(ctx) or {}, self.data), self._key(ctx)
        ctx.kv.put(ctx.namespace, key, data, ctx.now(), type="JSON")
        return self.Output(count=len(data), key=key)


@task_type(
    "io.kestra.plugin.core.state.Get",
    aliases=["state_get"],
    old_names=["io.kestra.core.tasks.states.Get"],
    examples=[
        Example(
            """
            - id: keep
              type: io.kestra.plugin.core.state.Set
              data: {offset: 7}
            - id: state
              type: io.kestra.plugin.core.state.Get
            - id: show
              type: log
              message: "{{ outputs.state.data.offset }}"
            """,
            title="Go on where the last execution stopped.",
        )
    ],
)
class Get(StateTask):
    """Look up the data of a state."""

    class Output(RunnableTask.Output):
        count: int = Field(description="Names in the state.")
        data: dict[str, JsonValue] = Field(description="Its names and values.")

    error_on_missing: Dynamic[bool] = Field(default=False, description="Whether to fail when there is no such state.")

    async def run(self, ctx: RunContext) -> Output:
        data = await asyncio.to_thread(self._read, ctx)
        if data is None and self.error_on_missing:
            raise self._missing(ctx)
        return self.Output(count=len(data or {}), data=data or {})


@task_type(
    "io.kestra.plugin.core.state.Delete",
    aliases=["state_delete"],
    old_names=["io.kestra.core.tasks.states.Delete"],
    examples=[
        Example(
            """
            - {id: keep, type: state_set, data: {offset: 7}}
            - id: forget
              type: io.kestra.plugin.core.state.Delete
            """,
            title="Begin anew next time.",
        )
    ],
)
class Delete(StateTask):
    """Delete a state."""

    class Output(RunnableTask.Output):
        deleted: bool = Field(description="Whether there was such a state.")

    error_on_missing: Dynamic[bool] = Field(default=False, description="Whether to fail when there is no such state.")

    async def run(self, ctx: RunContext) -> Output:
        deleted = await asyncio.to_thread(ctx.kv.delete, ctx.namespace, self._key(ctx), ctx.now())
        if self.error_on_missing and not deleted:
            raise self._missing(ctx)
        return self.Output(deleted=deleted)


def _merged(before: dict[str, JsonValue], after: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """New data over old: maps are merged, lists joined, null changes nothing, anything else replaces.

    Source: Kestra's MapUtils.merge.
    """
    merged = dict(before)
    for name, value in after.items():
        old = merged.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[name] = _merged(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            merged[name] = [*old, *value]
        elif value is not None or old is None:
            merged[name] = value
    return merged
