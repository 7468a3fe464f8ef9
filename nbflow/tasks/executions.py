"""Task types that look at executions, the running one or others: count them, fetch their log, let one go on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from nbflow.errors import TaskFailedError
from nbflow.model.input_values import to_instant
from nbflow.plugins import Dynamic, Example, LogLevel, Model, RunContext, RunnableTask, State, Text, task_type
from nbflow.tasks.storage.scratch import scratch_file
from nbflow.types import JsonValue

Instant = Annotated[datetime, BeforeValidator(to_instant)]
"""An instant, ISO 8601; UTC unless it says otherwise."""

_LOOKED_BACK = timedelta(days=30)


class FlowName(Model):
    """A flow whose executions are counted."""

    namespace: Dynamic[Text] = Field(description="Namespace of the flow.")
    flow_id: Dynamic[Text] = Field(description="Id of the flow.")


class Counted(Model):
    """How many executions there are of a flow, or of a namespace."""

    namespace: str = Field(description="The namespace.")
    flow_id: str | None = Field(default=None, description="The flow; null for all of the namespace.")
    count: int = Field(description="Number of executions.")


@task_type(
    "io.kestra.plugin.core.execution.Count",
    aliases=["count_executions"],
    old_names=["io.kestra.plugin.core.execution.Counts", "io.kestra.core.tasks.executions.Counts"],
    examples=[
        Example(
            """
            - id: failures
              type: io.kestra.plugin.core.execution.Count
              namespaces: ["{{ flow.namespace }}"]
              states: [FAILED]
              startDate: "{{ now() | dateAdd(-1, 'DAYS') }}"
              expression: "{{ count > 0 }}"
            - id: show
              type: log
              message: "{{ outputs.failures.total }} executions failed since yesterday"
            """,
            title="How many executions of a namespace failed.",
        ),
        Example(
            """
            id: idle
            type: io.kestra.plugin.core.execution.Count
            flows:
              - namespace: company.team
                flowId: daily_report
            expression: "{{ count == 0 }}"
            """,
            title="Flows that have not run lately.",
        ),
    ],
)
class Count(RunnableTask):
    """Count executions by flow or namespace, and put out the counts that an expression is true of."""

    class Output(RunnableTask.Output):
        results: list[Counted] = Field(description="The counts that the expression is true of.")
        total: int = Field(description="Their sum.")

    flows: Dynamic[list[FlowName]] | None = Field(default=None, description="Flows to count for, each by itself.")
    namespaces: Dynamic[list[Text]] | None = Field(
        default=None, description="Namespaces to count for, each by itself, without those below it."
    )
    states: Dynamic[list[State]] = Field(default_factory=list, description="Only executions in these states.")
    start_date: Dynamic[Instant] | None = Field(
        default=None, description="Only executions that began at this instant on; 30 days ago unless said."
    )
    end_date: Dynamic[Instant] | None = Field(
        default=None, description="Only executions that had begun by this instant; now unless said."
    )
    expression: Text = Field(
        description="Which counts to put out: those it renders to `true` for; it sees `count`, as in {{ count > 5 }}."
    )

    @model_validator(mode="after")
    def _says_of_what(self) -> Count:
        if self.flows is None and self.namespaces is None:
            raise ValueError("needs `flows` or `namespaces`")
        return self

    async def run(self, ctx: RunContext) -> Output:
        counts = await asyncio.to_thread(self._count, ctx)
        results = [each for each in counts if ctx.render(self.expression, {"count": each.count}).strip() == "true"]
        return self.Output(results=results, total=sum(each.count for each in results))

    def _count(self, ctx: RunContext) -> list[Counted]:
        now = ctx.now()
        places: list[tuple[str, str | None]] = [(flow.namespace, flow.flow_id) for flow in self.flows or []]
        places += [(namespace, None) for namespace in self.namespaces or []]
        return [
            Counted(
                namespace=namespace,
                flow_id=flow_id,
                count=ctx.executions.count(
                    namespace,
                    flow_id,
                    states=self.states,
                    start_after=self.start_date or now - _LOOKED_BACK,
                    start_before=(self.end_date or now) + timedelta(microseconds=1),
                ),
            )
            for namespace, flow_id in places
        ]


class ExecutionTask(RunnableTask):
    """What tasks on one execution share: which one is meant."""

    namespace: Dynamic[Text] | None = Field(
        default=None, description="Namespace of the execution's flow, to make sure; with `executionId` and `flowId`."
    )
    flow_id: Dynamic[Text] | None = Field(
        default=None, description="Id of the execution's flow, to make sure; with `executionId` and `namespace`."
    )
    execution_id: Dynamic[Text] | None = Field(default=None, description="The execution; the running one unless said.")

    @model_validator(mode="after")
    def _names_one_execution(self) -> ExecutionTask:
        if (self.namespace is None) != (self.flow_id is None):
            raise ValueError("needs `namespace` and `flowId` together, or neither")
        if self.namespace is not None and self.execution_id is None:
            raise ValueError("needs `executionId` beside `namespace` and `flowId`")
        return self

    def _meant(self, ctx: RunContext) -> str:
        """The id of the execution. Raises: TaskFailedError when it is of another flow than was said."""
        if self.execution_id is None:
            return ctx.execution_id
        namespace, flow_id = ctx.executions.flow_of(self.execution_id)
        if self.namespace is not None and (self.namespace, self.flow_id) != (namespace, flow_id):
            raise TaskFailedError(
                f"execution {self.execution_id} is of {namespace}.{flow_id}, not of {self.namespace}.{self.flow_id}"
            )
        return self.execution_id


@task_type(
    "io.kestra.plugin.core.execution.Resume",
    aliases=["resume"],
    examples=[
        Example(
            """
            id: go_on
            type: io.kestra.plugin.core.execution.Resume
            executionId: "{{ trigger.executionId }}"
            inputs:
              approved: true
            """,
            title="Let an execution go on that a Flow trigger has seen pause.",
            needs="an execution that is paused",
        )
    ],
)
class Resume(ExecutionTask):
    """Let a paused execution go on."""

    inputs: Dynamic[dict[str, JsonValue]] = Field(
        default_factory=dict, description="Values for the inputs that its Pause asks for with `onResume`."
    )

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        await asyncio.to_thread(self._resume, ctx)
        return self.Output()

    def _resume(self, ctx: RunContext) -> None:
        ctx.executions.resume(self._meant(ctx), self.inputs)


@task_type(
    "io.kestra.plugin.core.log.Fetch",
    aliases=["fetch_logs"],
    old_names=["io.kestra.core.tasks.log.Fetch"],
    examples=[
        Example(
            """
            - id: hello
              type: log
              message: Hello
            - id: logs
              type: io.kestra.plugin.core.log.Fetch
              tasksId: [hello]
              level: INFO
            - id: show
              type: log
              message: "{{ read(outputs.logs.uri) }}"
            """,
            title="Store what a task has logged.",
        )
    ],
)
class Fetch(ExecutionTask):
    """Store the log of an execution as a file."""

    class Output(RunnableTask.Output):
        size: int = Field(description="Number of lines.")
        uri: str = Field(description="URI of the file, JSON Lines: one entry of the log a line.")

    tasks_id: Dynamic[list[Text]] | None = Field(default=None, description="Only lines of these tasks.")
    level: Dynamic[LogLevel] = Field(default=LogLevel.INFO, description="Least level of the lines.")

    async def run(self, ctx: RunContext) -> Output:
        return await asyncio.to_thread(self._store, ctx)

    def _store(self, ctx: RunContext) -> Output:
        execution_id, size = self._meant(ctx), 0
        with scratch_file(ctx) as file:
            with file.open("w", encoding="utf-8") as target:
                for task_id in [None] if self.tasks_id is None else self.tasks_id:
                    for line in ctx.executions.logs(execution_id, task_id=task_id, min_level=self.level):
                        target.write(_json(line))
                        size += 1
            return self.Output(size=size, uri=ctx.store_file(file, "logs.jsonl"))


def _json(line: Mapping[str, JsonValue]) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"
