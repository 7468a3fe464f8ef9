"""Task types that choose among the items of a stored file: JSON Lines, as tasks here store their rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from nbflow.errors import TaskFailedError, TemplateError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.plugins.truth import is_true
from nbflow.tasks.storage.scratch import scratch_file, stored, suffix_of

_SUFFIX = ".jsonl"


class FilterType(StrEnum):
    """What happens to an item that a condition is true of."""

    INCLUDE = "INCLUDE"
    EXCLUDE = "EXCLUDE"


class ErrorOrNullBehavior(StrEnum):
    """What happens when a condition cannot be evaluated, or is null."""

    FAIL = "FAIL"
    INCLUDE = "INCLUDE"
    EXCLUDE = "EXCLUDE"


class ItemsOutput(RunnableTask.Output):
    """The file of the items that stay, and how many these are."""

    uri: str = Field(description="URI of the new file.")
    processed_items_total: int = Field(description="Items looked at.")
    dropped_items_total: int = Field(description="Items left out.")


@task_type(
    "io.kestra.plugin.core.storage.FilterItems",
    aliases=["filter_items"],
    old_names=["io.kestra.core.tasks.storages.FilterItems"],
    examples=[
        Example(
            """
            - id: orders
              type: write_file
              content: |
                {"city": "Oslo", "orders": 3}
                {"city": "Lima", "orders": 12}
              extension: .jsonl
            - id: many
              type: io.kestra.plugin.core.storage.FilterItems
              from: "{{ outputs.orders.uri }}"
              filterCondition: "{{ orders > 10 }}"
            - id: show
              type: log
              message: "{{ read(outputs.many.uri) }}"
            """,
            title="Keep the items that an expression is true of.",
        )
    ],
)
class FilterItems(RunnableTask):
    """Keep the items of a stored file that a condition is true of, or leave these out."""

    class Output(ItemsOutput):
        pass

    from_: Dynamic[Text] = Field(alias="from", description="URI of the file, JSON Lines.")
    filter_condition: Text = Field(
        description="Expression to evaluate for each item; it sees the item as `record`, and its fields by their names."
    )
    filter_type: FilterType = Field(default=FilterType.INCLUDE, description="What to do where it is true.")
    error_or_null_behavior: ErrorOrNullBehavior = Field(
        default=ErrorOrNullBehavior.FAIL, description="What to do where it cannot be evaluated or is null."
    )

    async def run(self, ctx: RunContext) -> Output:
        return await asyncio.to_thread(self._filter, ctx)

    def _filter(self, ctx: RunContext) -> Output:
        source = stored(ctx, self.from_, "from")

        def stays(number: int, line: bytes) -> bool:
            return self._stays(ctx, number, _names(number, line))

        uri, processed, dropped = _store_items(ctx, self.from_, source, stays)
        return self.Output(uri=uri, processed_items_total=processed, dropped_items_total=dropped)

    def _stays(self, ctx: RunContext, number: int, names: dict[str, object]) -> bool:
        failure: TemplateError | None = None
        value: object = None
        try:
            value = ctx.render_value(self.filter_condition, names)
        except TemplateError as error:
            failure = error
        if value is not None:
            return is_true(value) == (self.filter_type is FilterType.INCLUDE)
        if self.error_or_null_behavior is ErrorOrNullBehavior.FAIL:
            why = f"cannot be evaluated: {failure}" if failure else "is null"
            raise TaskFailedError(
                f"`filterCondition` of item {number + 1} {why}", hint="say what to do in `errorOrNullBehavior`"
            ) from failure
        return self.error_or_null_behavior is ErrorOrNullBehavior.INCLUDE


@task_type(
    "io.kestra.plugin.core.storage.DeduplicateItems",
    aliases=["deduplicate_items"],
    old_names=["io.kestra.core.tasks.storages.DeduplicateItems"],
    examples=[
        Example(
            """
            - id: orders
              type: write_file
              content: |
                {"id": 1, "state": "new"}
                {"id": 1, "state": "paid"}
                {"id": 2, "state": "new"}
              extension: .jsonl
            - id: newest
              type: io.kestra.plugin.core.storage.DeduplicateItems
              from: "{{ outputs.orders.uri }}"
              expr: "{{ id }}"
            - id: show
              type: log
              message: "{{ read(outputs.newest.uri) }}"
            """,
            title="Keep the last item of each key.",
        )
    ],
)
class DeduplicateItems(RunnableTask):
    """Keep the last of the items of a stored file that have the same key.

    The file is read twice; the keys, not the items, are held in memory.
    """

    class Output(ItemsOutput):
        num_keys: int = Field(description="Keys that differ.")

    from_: Dynamic[Text] = Field(alias="from", description="URI of the file, JSON Lines.")
    expr: Text = Field(
        description="Expression that gives an item's key; it sees the item as `record`, and its fields by their names."
    )

    async def run(self, ctx: RunContext) -> Output:
        return await asyncio.to_thread(self._deduplicate, ctx)

    def _deduplicate(self, ctx: RunContext) -> Output:
        source = stored(ctx, self.from_, "from")
        last = {ctx.render(self.expr, _names(number, line)): number for number, line in _lines(source)}
        staying = set(last.values())
        uri, processed, dropped = _store_items(ctx, self.from_, source, lambda number, _: number in staying)
        return self.Output(uri=uri, num_keys=len(last), processed_items_total=processed, dropped_items_total=dropped)


def _store_items(ctx: RunContext, uri: str, source: Path, stays: Callable[[int, bytes], bool]) -> tuple[str, int, int]:
    """Store the items that stay; the URI, how many items there were and how many were left out."""
    processed = dropped = 0
    with scratch_file(ctx) as chosen:
        with chosen.open("wb") as target:
            for number, line in _lines(source):
                processed += 1
                if stays(number, line):
                    target.write(line + b"\n")
                else:
                    dropped += 1
        return ctx.store_file(chosen, f"items{suffix_of(uri, _SUFFIX)}"), processed, dropped


def _lines(source: Path) -> Iterator[tuple[int, bytes]]:
    """The items of a file, each with its number from 0; empty lines are none."""
    with source.open("rb") as file:
        yield from enumerate(line for line in map(bytes.strip, file) if line)


def _names(number: int, line: bytes) -> dict[str, object]:
    """What an expression sees of an item: all of it as `record`, and the fields, which go before that."""
    try:
        record = json.loads(line)
    except ValueError as cause:
        raise TaskFailedError(
            f"item {number + 1} is no JSON: {line[:100].decode(errors='replace')!r}",
            hint="the file must be JSON Lines: one JSON value a line",
        ) from cause
    return {"record": record, **record} if isinstance(record, dict) else {"record": record}
