"""Task types that delete what the history need not keep: executions, log lines, values under keys."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from nbflow.model.input_values import to_instant
from nbflow.plugins import Dynamic, Example, LogLevel, Model, RunContext, RunnableTask, State, Text, task_type

Instant = Annotated[datetime, BeforeValidator(to_instant)]
"""An instant, ISO 8601; UTC unless it says otherwise."""


@task_type(
    "io.kestra.plugin.core.execution.PurgeExecutions",
    aliases=["purge_executions"],
    old_names=[
        "io.kestra.plugin.core.execution.Purge",
        "io.kestra.plugin.core.storage.Purge",
        "io.kestra.core.tasks.storages.Purge",
    ],
    examples=[
        Example(
            """
            id: purge
            type: io.kestra.plugin.core.execution.PurgeExecutions
            namespace: company.team
            endDate: "{{ now() | dateAdd(-1, 'MONTHS') }}"
            states: [SUCCESS, WARNING]
            purgeLog: true
            """,
            title="Delete what ended well a month ago.",
        )
    ],
)
class PurgeExecutions(RunnableTask):
    """Delete executions that have ended, with their logs, metrics and files; none that is under way."""

    class Output(RunnableTask.Output):
        executions_count: int = Field(description="Executions deleted.")
        logs_count: int = Field(description="Log lines deleted.")
        metrics_count: int = Field(description="Metrics deleted.")
        storages_count: int = Field(description="Files deleted.")

    namespace: Dynamic[Text] | None = Field(
        default=None, description="Only of this namespace and those below it; with `flowId`, the flow's own namespace."
    )
    flow_id: Dynamic[Text] | None = Field(default=None, description="Only of this flow.")
    start_date: Dynamic[Instant] | None = Field(default=None, description="Only those that began at this instant on.")
    end_date: Dynamic[Instant] | None = Field(
        default=None, description="Only those that had ended by this instant; now unless said."
    )
    states: Dynamic[list[State]] = Field(default_factory=list, description="Only those that ended in these states.")
    purge_execution: Dynamic[bool] = Field(default=True, description="Whether to delete the executions themselves.")
    purge_log: Dynamic[bool] = Field(default=True, description="Whether to delete their log lines.")
    purge_metric: Dynamic[bool] = Field(default=True, description="Whether to delete their metrics.")
    purge_storage: Dynamic[bool] = Field(
        default=True, description="Whether to delete their files in the internal storage."
    )
    batch_size: Dynamic[PositiveInt] = Field(default=500, description="Executions to delete together, 500 at most.")

    async def run(self, ctx: RunContext) -> Output:
        purged = await asyncio.to_thread(
            ctx.upkeep.purge_executions,
            ctx.now(),
            end_date=self.end_date,
            start_date=self.start_date,
            namespace=self.namespace,
            flow_id=self.flow_id,
            states=self.states,
            purge_execution=self.purge_execution,
            purge_log=self.purge_log,
            purge_metric=self.purge_metric,
            purge_storage=self.purge_storage,
            portion=self.batch_size,
        )
        return self.Output(
            executions_count=purged.executions,
            logs_count=purged.logs,
            metrics_count=purged.metrics,
            storages_count=purged.files,
        )


@task_type(
    "io.kestra.plugin.core.log.PurgeLogs",
    aliases=["purge_logs"],
    examples=[
        Example(
            """
            id: purge
            type: io.kestra.plugin.core.log.PurgeLogs
            endDate: "{{ now() | dateAdd(-7, 'DAYS') }}"
            logLevels: [TRACE, DEBUG]
            """,
            title="Delete old lines that matter little.",
        )
    ],
)
class PurgeLogs(RunnableTask):
    """Delete log lines of executions, by their age and level; none of an execution that is under way."""

    class Output(RunnableTask.Output):
        count: int = Field(description="Log lines deleted.")

    namespace: Dynamic[Text] | None = Field(
        default=None, description="Only of this namespace and those below it; with `flowId`, the flow's own namespace."
    )
    flow_id: Dynamic[Text] | None = Field(default=None, description="Only of this flow.")
    execution_id: Dynamic[Text] | None = Field(default=None, description="Only of this execution.")
    log_levels: Dynamic[list[LogLevel]] = Field(default_factory=list, description="Only lines of these levels.")
    start_date: Dynamic[Instant] | None = Field(default=None, description="Only lines from this instant on.")
    end_date: Dynamic[Instant] = Field(description="Only lines up to this instant.")
    batch_size: Dynamic[PositiveInt] = Field(default=10_000, description="Lines to delete together.")

    async def run(self, ctx: RunContext) -> Output:
        count = await asyncio.to_thread(
            ctx.upkeep.purge_logs,
            self.end_date,
            start_date=self.start_date,
            namespace=self.namespace,
            flow_id=self.flow_id,
            execution_id=self.execution_id,
            levels=self.log_levels,
            portion=self.batch_size,
        )
        return self.Output(count=count)


class KvPurgeBehavior(Model):
    """Which values go: keys as a whole. A value has no older versions here, so none of these can go."""

    type: Literal["key"] = Field(default="key", description="What is deleted: `key`.")
    expired_only: bool = Field(default=True, description="Whether only values that have expired go.")


@task_type(
    "io.kestra.plugin.core.kv.PurgeKV",
    aliases=["purge_kv"],
    examples=[
        Example(
            """
            id: purge
            type: io.kestra.plugin.core.kv.PurgeKV
            namespaces: [company]
            keyPattern: "tmp_*"
            expiredOnly: false
            """,
            title="Delete values by the names of their keys.",
        )
    ],
)
class PurgeKV(RunnableTask):
    """Delete values under keys, those that have expired unless told otherwise."""

    class Output(RunnableTask.Output):
        size: int = Field(description="Values deleted.")

    namespaces: Dynamic[list[Text]] = Field(
        default_factory=list, description="Only of these namespaces; of all when there is none."
    )
    namespace_pattern: Dynamic[Text] | None = Field(
        default=None, description="Only of namespaces that match: `*` for any characters, `?` for one."
    )
    include_child_namespaces: Dynamic[bool] = Field(
        default=True, description="Whether the namespaces below those of `namespaces` count too."
    )
    key_pattern: Dynamic[Text] | None = Field(
        default=None, description="Only keys that match: `*` for any characters, `?` for one."
    )
    expired_only: Dynamic[bool] | None = Field(
        default=None, description="Whether only values that have expired go; true unless `behavior` says otherwise."
    )
    behavior: Dynamic[KvPurgeBehavior] = Field(
        default_factory=KvPurgeBehavior, description="Which values go; `expiredOnly` beside it wins."
    )

    @model_validator(mode="after")
    def _one_choice_of_namespaces(self) -> PurgeKV:
        if self.namespaces and self.namespace_pattern:
            raise ValueError("`namespaces` and `namespacePattern` cannot be given together: leave one out")
        return self

    async def run(self, ctx: RunContext) -> Output:
        expired_only = self.behavior.expired_only if self.expired_only is None else self.expired_only
        count = await asyncio.to_thread(
            ctx.upkeep.purge_kv,
            ctx.now(),
            namespaces=self.namespaces,
            namespace_pattern=self.namespace_pattern,
            with_children=self.include_child_namespaces,
            key_pattern=self.key_pattern,
            expired_only=expired_only,
        )
        return self.Output(size=count)
