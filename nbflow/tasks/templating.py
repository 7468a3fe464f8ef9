"""The task type whose task is made from a text."""

from __future__ import annotations

import asyncio

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from nbflow.errors import TaskFailedError
from nbflow.model.dynamic import render_model
from nbflow.model.input_values import to_yaml
from nbflow.model.plugin import RESOLVER, PluginT
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Task, Text, registry, task_type


@task_type(
    "io.kestra.plugin.core.templating.TemplatedTask",
    aliases=["templated_task"],
    old_names=["io.kestra.core.tasks.templating.TemplatedTask"],
    examples=[
        Example(
            """
            id: made
            type: io.kestra.plugin.core.templating.TemplatedTask
            spec: |
              type: io.kestra.plugin.core.log.{{ 'Log' }}
              message: Hello from a task that was made just now
            """,
            title="A task whose type an expression gives.",
        )
    ],
)
class TemplatedTask(RunnableTask):
    """Run a task that a text describes, expressions in it rendered first: its type and the names of its properties too.

    What the task puts out is put out here.
    """

    spec: Dynamic[Text] = Field(description="The task in YAML, without its `id`; no task with tasks in it.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        task = _read(self.spec, ctx.task_id)
        rendered = await asyncio.to_thread(_rendered, task, ctx)
        return await rendered.run(ctx)


def _read(spec: str, task_id: str) -> RunnableTask:
    try:
        read = to_yaml(spec)
    except ValueError as cause:
        raise TaskFailedError(f"`spec` {cause}") from cause
    if not isinstance(read, dict):
        raise TaskFailedError("`spec` is no task", hint="write `type: …` and the task's properties")
    try:
        task = _Resolver().resolve(Task, {"id": task_id, **read})
    except ValidationError as cause:
        raise TaskFailedError("; ".join(map(_described, cause.errors()))) from cause
    except ValueError as cause:
        raise TaskFailedError(f"`spec`: {cause}") from cause
    if isinstance(task, TemplatedTask) or not isinstance(task, RunnableTask):
        raise TaskFailedError(f"`spec` is a {type(task).__name__}", hint="only a task that does work itself can be run")
    return task


class _Resolver:
    """Makes parts of a task from their mappings; the first fault ends it."""

    def resolve(self, base: type[PluginT], value: object) -> PluginT:
        if not isinstance(value, dict) or not isinstance(value.get("type"), str):
            raise ValueError(f"needs a `type`, which says what {base.plugin_kind} it is")
        return registry().find(base, value["type"]).model_validate(value, context={RESOLVER: self})


def _described(error: ErrorDetails) -> str:
    return ".".join(["`spec`", *map(str, error["loc"])]) + f": {error['msg'].removeprefix('Value error, ')}"


def _rendered(task: RunnableTask, ctx: RunContext) -> RunnableTask:
    def render(value: object, keeps_types: bool) -> object:
        return ctx.render_value(value) if keeps_types else _as_text(value, ctx)

    try:
        return render_model(task, render)
    except ValueError as cause:
        raise TaskFailedError(f"a property of `spec` cannot be rendered: {cause}") from cause


def _as_text(value: object, ctx: RunContext) -> object:
    """A value whose texts are rendered to texts."""
    if isinstance(value, str):
        return ctx.render(value)
    if isinstance(value, dict):
        return {_as_text(key, ctx): _as_text(item, ctx) for key, item in value.items()}
    return [_as_text(item, ctx) for item in value] if isinstance(value, list) else value
