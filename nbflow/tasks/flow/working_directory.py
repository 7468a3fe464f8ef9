"""The flowable task type whose children share one directory."""

from __future__ import annotations

import asyncio

from pydantic import Field, field_validator

from nbflow.errors import TaskFailedError
from nbflow.model.task import Task, walk
from nbflow.plugins import (
    Duration,
    Example,
    FlowableTask,
    Model,
    Outcome,
    RunContext,
    Scope,
    TaskField,
    Text,
    task_type,
)
from nbflow.tasks.flow.directory_cache import DirectoryCache
from nbflow.tasks.flow.pause import Pause
from nbflow.tasks.scripts.settings import NamespaceFiles
from nbflow.tasks.working_files import put_input_files, put_namespace_files, store_output_files
from nbflow.types import JsonValue


class CacheSettings(Model):
    """Which files of a WorkingDirectory are kept for its next run."""

    patterns: list[Text] = Field(min_length=1, description="Names or globs of the files, such as `node_modules/**`.")
    ttl: Duration | None = Field(default=None, description="How long they are kept; for ever unless said.")


@task_type(
    "io.kestra.plugin.core.flow.WorkingDirectory",
    aliases=["working_directory"],
    old_names=["io.kestra.core.tasks.flows.WorkingDirectory", "io.kestra.core.tasks.flows.Worker"],
    examples=[
        Example(
            """
            id: together
            type: io.kestra.plugin.core.flow.WorkingDirectory
            inputFiles:
              name.txt: Ada
            outputFiles: ["*.csv"]
            tasks:
              - id: write
                type: shell
                commands:
                  - echo "name" > names.csv
                  - cat name.txt >> names.csv
              - id: show
                type: shell
                commands:
                  - cat names.csv
            """,
            title="Tasks that share their files.",
        )
    ],
)
class WorkingDirectory(FlowableTask):
    """Run tasks one after another in one directory: each finds it as the one before has left it.

    Tasks inside those tasks share it as well. The directory is not part of the history: when the engine is gone in
    the middle, the next one begins with `inputFiles` and the cache anew and goes on with the task that was under way.
    """

    class Output(FlowableTask.Output):
        output_files: dict[str, str] = Field(default_factory=dict, description="Name → URI of the stored files.")

    input_files: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Files to find there at first: name → content or URI of a stored file."
    )
    output_files: list[Text] = Field(
        default_factory=list, description="Files to store at the end: names or globs, such as `*.csv`."
    )
    namespace_files: NamespaceFiles | None = Field(default=None, description="Files of the namespace to find there.")
    cache: CacheSettings | None = Field(default=None, description="Files to find there again when the task runs next.")
    tasks: list[TaskField] = Field(min_length=1, description="Tasks to run.")

    @field_validator("namespace_files", mode="before")
    @classmethod
    def _read_switch(cls, value: object) -> object:
        return {"enabled": value} if isinstance(value, bool) else value

    @field_validator("tasks")
    @classmethod
    def _does_not_pause(cls, tasks: list[Task]) -> list[Task]:
        for task in walk(tasks):
            if isinstance(task, Pause):
                raise ValueError(f"`{task.id}` is a Pause: nothing keeps the directory until it is resumed")
        return tasks

    async def run(self, scope: Scope) -> Outcome:
        ctx = scope.share_directory()
        cache = None
        if self.cache is not None:
            cache = DirectoryCache(ctx, self.cache.patterns, self.cache.ttl, scope.task_run.value)
            await asyncio.to_thread(cache.restore)
        if self.namespace_files is not None and self.namespace_files.enabled:
            await asyncio.to_thread(put_namespace_files, ctx, self.namespace_files)
        if self.input_files:
            await asyncio.to_thread(self._put_input_files, ctx)
        state = await scope.run_sequence(self.tasks)
        files = await asyncio.to_thread(self._store_output_files, ctx)
        if cache is not None and not state.is_failure:
            await asyncio.to_thread(cache.keep)
        return Outcome(state, {"outputFiles": dict(files)} if files else {})

    def _put_input_files(self, ctx: RunContext) -> None:
        assert self.input_files is not None
        try:
            put_input_files(ctx, self.input_files, {"workingDir": str(ctx.working_dir)})
        except OSError as cause:
            raise TaskFailedError(f"`inputFiles` cannot be written: {cause}") from cause

    def _store_output_files(self, ctx: RunContext) -> dict[str, str]:
        return store_output_files(ctx, [ctx.render(pattern) for pattern in self.output_files])
