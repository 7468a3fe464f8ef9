"""The flowable task type that runs another flow for each batch of a file's items."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import ClassVar, cast

from pydantic import Field, PrivateAttr

from nbflow.errors import NbflowError, TaskFailedError
from nbflow.model.state import worst
from nbflow.plugins import (
    Branch,
    Dynamic,
    Example,
    FlowableTask,
    Outcome,
    RunContext,
    RunnableTask,
    Scope,
    State,
    Text,
    task_type,
)
from nbflow.tasks.flow.batches import Batch, Splitter
from nbflow.tasks.flow.calling import FlowCall
from nbflow.tasks.working_files import is_stored
from nbflow.types import JsonValue

_NAME = "io.kestra.plugin.core.flow.ForEachItem"
_OUTPUTS = "outputs.ion"  # JSON Lines, which are Ion as well


class _Split(RunnableTask):
    """Split the file of a ForEachItem into batches."""

    class Output(RunnableTask.Output):
        splits: str = Field(description="URI of a file with the URIs of the batches, one a line.")
        number_of_batches: int = Field(description="How many batches there are.")
        suffix: str = Field(description="How the names of the batches end.")

    items: Dynamic[Text] = Field(description="URI of the file.")
    batch: Dynamic[Batch] = Field(description="How to split it.")

    async def run(self, ctx: RunContext) -> Output:
        items = self.items.strip()
        if not is_stored(items):
            raise TaskFailedError(
                f"`items` must be the URI of a stored file, got {items[:200]!r}",
                hint="hand over a FILE input or the `uri` that a task put out",
            )
        splitter = Splitter(ctx, items, self.batch)
        # One batch at a time: an execution that is killed is not to go on splitting.
        while await asyncio.to_thread(splitter.store_next):
            pass
        splits = await asyncio.to_thread(splitter.store_list, "splits.txt")
        return self.Output(splits=splits, number_of_batches=splitter.count, suffix=splitter.suffix)


class _Items(FlowableTask):
    """Run the flow of a ForEachItem for each of its batches."""

    is_loop: ClassVar[bool] = True
    is_attempted: ClassVar[bool] = True

    class Output(FlowableTask.Output):
        number_of_batches: int = Field(description="How many batches there are.")
        iterations: dict[str, int] = Field(description="State → how many of the flow's executions are in it.")
        subflow_outputs_base_uri: str | None = Field(default=None, description="Where their outputs are stored.")

    _whole: ForEachItem = PrivateAttr()
    _split: Mapping[str, JsonValue] = PrivateAttr()

    async def run(self, scope: Scope) -> Outcome:
        count = cast("int", self._split["numberOfBatches"])
        if not count:
            return Outcome(State.SUCCESS)
        tally = Counter({State.CREATED: count, State.RUNNING: 0} if self._whole.wait else {State.RUNNING: count})
        outputs: dict[str, JsonValue] = {"numberOfBatches": count, "iterations": {}}
        numbers = iter(range(count))
        workers = min(self._whole.concurrency_limit or count, count)
        states = await scope.run_together([self._work(scope, numbers, tally, outputs) for _ in range(workers)])
        return Outcome(worst(states), outputs)

    async def _work(
        self, scope: Scope, numbers: Iterator[int], tally: Counter[State], outputs: dict[str, JsonValue]
    ) -> State:
        """Take batches until there are no more; the state of all of them together."""
        state = State.SUCCESS
        for number in numbers:
            taskrun = {"items": self._batch(number), "iteration": number}
            if self._whole.wait:
                self._move(scope, State.CREATED, State.RUNNING, tally, outputs)
            try:
                child = await self._whole.call(scope, key=str(number), taskrun=taskrun)
            except (NbflowError, ValueError) as error:
                scope.log.error("batch %d: %s; no further one is begun", number, error)
                self._move(scope, State.RUNNING, State.FAILED, tally, outputs)
                for _ in numbers:  # the other workers find none, too
                    pass
                return State.FAILED
            if child.outputs and self._whole.wait:
                line = json.dumps(child.outputs, ensure_ascii=False, separators=(",", ":"))
                uri = await scope.store(f"{number}/{_OUTPUTS}", f"{line}\n".encode())
                outputs["subflowOutputsBaseUri"] = uri.removesuffix(f"/{number}/{_OUTPUTS}")
            state = worst([state, self._whole.state_after(scope, child)])
            state_of_batch = child.state if self._whole.wait else State.SUCCESS
            self._move(scope, State.RUNNING, state_of_batch, tally, outputs)
        return state

    def _move(
        self, scope: Scope, before: State, after: State, tally: Counter[State], outputs: dict[str, JsonValue]
    ) -> None:
        """Count a batch under another state."""
        tally[before] -= 1
        tally[after] += 1
        outputs["iterations"] = {str(state): number for state, number in tally.items()}
        scope.report(dict(outputs))

    def _batch(self, number: int) -> str:
        folder = str(self._split["splits"]).rpartition("/")[0]
        return f"{folder}/batches/{number}{self._split['suffix']}"


class _Merge(RunnableTask):
    """Bring together what the flows of a ForEachItem put out."""

    class Output(RunnableTask.Output):
        subflow_outputs: str | None = Field(
            default=None, description="URI of a file with the outputs of each of them (JSON Lines), if there are any."
        )

    base_uri: Text | None = Field(default=None, description="Where their outputs are.")
    count: int = Field(description="How many there may be.")

    async def run(self, ctx: RunContext) -> Output:
        if self.base_uri is None:
            return self.Output()
        return self.Output(subflow_outputs=await asyncio.to_thread(self._merge, ctx, self.base_uri))

    def _merge(self, ctx: RunContext, base_uri: str) -> str:
        path = ctx.path(_OUTPUTS)
        with path.open("wb") as merged:
            for number in range(self.count):
                uri = f"{base_uri}/{number}/{_OUTPUTS}"
                if ctx.storage.exists(uri):
                    merged.write(ctx.storage.read_bytes(uri))
        return ctx.store_file(path)


@task_type(
    _NAME,
    aliases=["foreach_item", "for_each_item"],
    old_names=["io.kestra.core.tasks.flows.ForEachItem"],
    examples=[
        Example(
            """
            - id: orders
              type: write_file
              content: |
                {"order": 1}
                {"order": 2}
                {"order": 3}
              extension: .jsonl
            - id: each
              type: io.kestra.plugin.core.flow.ForEachItem
              items: "{{ outputs.orders.uri }}"
              batch:
                rows: 2
              namespace: nbflow.examples
              flowId: handle
              wait: true
              transmitFailed: true
              inputs:
                batch: "{{ taskrun.items }}"
            """,
            title="An execution of another flow for every two lines of a file.",
            flows=(
                """
                id: handle
                namespace: nbflow.examples
                inputs:
                  - id: batch
                    type: FILE
                tasks:
                  - id: show
                    type: log
                    message: "{{ read(inputs.batch) }}"
                """,
            ),
        )
    ],
)
class ForEachItem(FlowCall):
    """Split a stored file into batches and run a flow for each.

    In `inputs`, `{{ taskrun.items }}` is the URI of the batch and `{{ taskrun.iteration }}` its number from 0. It shows
    as task runs of its own: `<id>_split`, `<id>_items`, which calls the flow, and `<id>_merge`, which is reached
    unless one of the flows has failed.
    """

    class Output(FlowableTask.Output):
        number_of_batches: int = Field(description="How many batches there are.")
        iterations: dict[str, int] = Field(description="State → how many of the flow's executions ended in it.")
        subflow_outputs: str | None = Field(
            default=None, description="URI of a file with the outputs of each of them (JSON Lines), if there are any."
        )

    items: Text = Field(description="URI of the stored file; each line of it is an item.")
    batch: Batch = Field(default_factory=Batch, description="How to split it; one item a batch unless said.")
    concurrency_limit: int = Field(default=0, ge=0, description="Batches at once; 1: one after another, 0: all.")

    async def run(self, scope: Scope) -> Outcome:
        split_task, items_task, _ = self._steps()
        split = await scope.run(split_task)
        if split is None or split.state.is_failure:
            return Outcome(State.FAILED)
        items_task._whole, items_task._split = self, split.outputs
        items = await scope.run(items_task)
        assert items is not None, "it is never disabled"
        count = split.outputs["numberOfBatches"]
        outputs = {"numberOfBatches": count, "iterations": items.outputs.get("iterations", {})}
        if items.state.is_failure:
            return Outcome(items.state, outputs)
        base_uri = cast("str | None", items.outputs.get("subflowOutputsBaseUri"))
        merge = await scope.run(self._merge(base_uri, cast("int", count)))
        assert merge is not None, "it is never disabled"
        return Outcome(worst([items.state, merge.state]), {**outputs, **merge.outputs})

    def branches(self) -> list[Branch]:
        return [Branch(self._steps())]

    def _steps(self) -> tuple[_Split, _Items, _Merge]:
        return (
            _Split(id=f"{self.id}_split", type=f"{_NAME}$ForEachItemSplit", items=self.items, batch=self.batch),
            _Items(id=f"{self.id}_items", type=f"{_NAME}$ForEachItemExecutable"),
            self._merge(None, 0),
        )

    def _merge(self, base_uri: str | None, count: int) -> _Merge:
        type_name = f"{_NAME}$ForEachItemMergeOutputs"
        return _Merge(id=f"{self.id}_merge", type=type_name, base_uri=base_uri, count=count)
