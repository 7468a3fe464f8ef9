"""Task types of Kestra's plugin for its own API; here they look at, and act on, the home that they run in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from nbflow.model.input_values import to_instant, to_yaml
from nbflow.plugins import Duration, Dynamic, Example, Model, RunContext, RunnableTask, State, Text, task_type
from nbflow.tasks.storage.scratch import scratch_file
from nbflow.types import JsonValue

_PACKAGE = "io.kestra.plugin.kestra"
_PAGE = 500

Instant = Annotated[datetime, BeforeValidator(to_instant)]
"""An instant, ISO 8601; UTC unless it says otherwise."""


class Auth(Model):
    """How flows log in to Kestra's API; nothing is needed to act on this home."""

    api_token: Dynamic[Text] | None = Field(default=None, description="Accepted, without effect.")
    username: Dynamic[Text] | None = Field(default=None, description="Accepted, without effect.")
    password: Dynamic[Text] | None = Field(default=None, description="Accepted, without effect.")
    auto: Dynamic[bool] = Field(default=True, description="Accepted, without effect.")


class KestraTask(RunnableTask):
    """What these tasks share: where Kestra would have to be asked. Here it is always this home."""

    kestra_url: Text | None = Field(default=None, description="Accepted, without effect: this home is asked.")
    auth: Auth | None = Field(default=None, description="Accepted, without effect.")
    tenant_id: Text | None = Field(default=None, description="Accepted, without effect.")


class FetchType(StrEnum):
    """Where what was found goes."""

    STORE = "STORE"
    FETCH = "FETCH"
    FETCH_ONE = "FETCH_ONE"
    NONE = "NONE"


@task_type(
    f"{_PACKAGE}.executions.Query",
    aliases=["query_executions"],
    old_names=[f"{_PACKAGE}.executions.Search"],
    examples=[
        Example(
            """
            - id: failed
              type: io.kestra.plugin.kestra.executions.Query
              namespace: company
              states: [FAILED]
              timeRange: P1D
              fetchType: FETCH
            - id: show
              type: log
              message: "{{ outputs.failed.size }} executions failed within a day"
            """,
            title="What failed within a day.",
        )
    ],
)
class Query(KestraTask):
    """Find executions, the newest first, as Kestra's JSON of them without their task runs."""

    class Output(RunnableTask.Output):
        size: int = Field(description="How many there are.")
        rows: list[dict[str, JsonValue]] | None = Field(default=None, description="The executions, with `FETCH`.")
        row: dict[str, JsonValue] | None = Field(default=None, description="The newest one, with `FETCH_ONE`.")
        uri: str | None = Field(default=None, description="URI of them as JSON Lines, with `STORE`.")

    namespace: Dynamic[Text] | None = Field(default=None, description="Only of this namespace and those below it.")
    flow_id: Dynamic[Text] | None = Field(default=None, description="Only of flows with this id.")
    states: Dynamic[list[State]] = Field(default_factory=list, description="Only in these states.")
    labels: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Only with these labels.")
    start_date: Dynamic[Instant] | None = Field(default=None, description="Only those that began at this instant on.")
    end_date: Dynamic[Instant] | None = Field(default=None, description="Only those that had begun by this instant.")
    time_range: Dynamic[Duration] | None = Field(
        default=None, description="Only those that began so long ago at most; instead of dates."
    )
    trigger_execution_id: Dynamic[Text] | None = Field(
        default=None, description="Only those that this execution started."
    )
    page: Dynamic[PositiveInt] | None = Field(default=None, description="Only this page; all unless said.")
    size: Dynamic[PositiveInt] = Field(default=10, description="Executions of a page.")
    fetch_type: Dynamic[FetchType] = Field(default=FetchType.STORE, description="Where they go.")
    flow_scopes: list[Text] = Field(default_factory=list, description="Accepted, without effect.")
    child_filter: Text | None = Field(default=None, description="Accepted, without effect.")

    @model_validator(mode="after")
    def _says_one_time(self) -> Query:
        if self.time_range is not None and self.start_date is not None and self.end_date is not None:
            raise ValueError("`timeRange` cannot stand beside both `startDate` and `endDate`: leave one out")
        return self

    async def run(self, ctx: RunContext) -> Output:
        return await asyncio.to_thread(self._find, ctx)

    def _find(self, ctx: RunContext) -> Output:
        match self.fetch_type:
            case FetchType.FETCH:
                rows = [dict(found) for found in self._found(ctx)]
                return self.Output(size=len(rows), rows=rows)
            case FetchType.FETCH_ONE:
                row = next((dict(found) for found in self._found(ctx)), None)
                return self.Output(size=int(row is not None), row=row)
            case FetchType.NONE:
                return self.Output(size=sum(1 for _ in self._found(ctx)))
        size = 0
        with scratch_file(ctx) as file:
            with file.open("w", encoding="utf-8") as target:
                for found in self._found(ctx):
                    target.write(json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n")
                    size += 1
            return self.Output(size=size, uri=ctx.store_file(file, "executions.jsonl"))

    def _found(self, ctx: RunContext) -> Iterator[Mapping[str, JsonValue]]:
        start, end = self.start_date, self.end_date
        if self.time_range is not None and start is None:
            start = (end or ctx.now()) - self.time_range
        limit = _PAGE if self.page is None else self.size
        offset = 0 if self.page is None else (self.page - 1) * self.size
        while True:
            portion = ctx.executions.find(
                namespace=self.namespace,
                flow_id=self.flow_id,
                states=self.states,
                labels=self.labels,
                start_after=start,
                start_before=None if end is None else end + timedelta(microseconds=1),
                parent_id=self.trigger_execution_id,
                limit=limit,
                offset=offset,
            )
            yield from portion
            offset += len(portion)
            if self.page is not None or len(portion) < limit:
                return


@task_type(
    f"{_PACKAGE}.executions.Kill",
    aliases=["kill"],
    examples=[
        Example(
            """
            id: stop
            type: io.kestra.plugin.kestra.executions.Kill
            executionId: "{{ execution.id }}"
            """,
            title="End the execution that this runs in.",
            state=State.KILLED,
        )
    ],
)
class Kill(KestraTask):
    """End an execution, and every process that it started; one that has ended stays as it is."""

    execution_id: Dynamic[Text] = Field(description="The execution.")
    propagate_kill: Dynamic[bool] = Field(default=True, description="Whether the executions it started end as well.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        await asyncio.to_thread(ctx.executions.kill, self.execution_id, with_children=self.propagate_kill)
        if self.execution_id == ctx.execution_id:
            await ctx.end_execution(State.KILLED)
        return self.Output()


@task_type(
    f"{_PACKAGE}.executions.Resume",
    aliases=["resume_execution"],
    examples=[
        Example(
            """
            id: go_on
            type: io.kestra.plugin.kestra.executions.Resume
            executionId: "{{ trigger.executionId }}"
            inputs:
              comment: approved by a flow
            """,
            title="Let an execution go on that a Flow trigger has seen pause.",
            needs="an execution that is paused",
        )
    ],
)
class Resume(KestraTask):
    """Let a paused execution go on."""

    execution_id: Dynamic[Text] | None = Field(default=None, description="The execution; the running one unless said.")
    inputs: Dynamic[dict[str, JsonValue]] = Field(
        default_factory=dict, description="Values for the inputs that its Pause asks for with `onResume`."
    )

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        await asyncio.to_thread(ctx.executions.resume, self.execution_id or ctx.execution_id, self.inputs)
        return self.Output()


@task_type(
    f"{_PACKAGE}.flows.List",
    aliases=["list_flows"],
    examples=[
        Example(
            """
            - id: flows
              type: io.kestra.plugin.kestra.flows.List
            - id: show
              type: log
              message: "{{ outputs.flows.flows | length }} flows, the first is {{ outputs.flows.flows[0].id }}"
            """,
            title="The flows of this namespace.",
        )
    ],
)
class ListFlows(KestraTask):
    """List the flows of a namespace, each as its YAML says."""

    class Output(RunnableTask.Output):
        flows: list[dict[str, JsonValue]] = Field(description="The flows, with their `revision`.")

    namespace: Dynamic[Text] | None = Field(default=None, description="The namespace; that of this flow unless said.")

    async def run(self, ctx: RunContext) -> Output:
        return await asyncio.to_thread(self._list, ctx)

    def _list(self, ctx: RunContext) -> Output:
        found = []
        for flow in ctx.flows.list(self.namespace or ctx.namespace):
            read = to_yaml(flow.source)
            found.append({**(read if isinstance(read, dict) else {}), "revision": flow.revision})
        return self.Output(flows=found)
