"""What every conversion of a stored file declares and puts out."""

from __future__ import annotations

import codecs
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, RunContext, RunnableTask, Text
from nbflow.tasks.serdes.rows import ION, read_records, write_records
from nbflow.tasks.stopping import Stop, in_thread
from nbflow.tasks.storage.scratch import scratch_file, stored


class OnBadLines(StrEnum):
    """What happens to a record that does not fit."""

    ERROR = "ERROR"
    WARN = "WARN"
    SKIP = "SKIP"


class Conversion(RunnableTask):
    """A conversion of one stored file into another."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="URI of the new file.")
        size: int = Field(description="How many records there are in it.")

    suffix: ClassVar[str] = ION

    from_: Dynamic[Text] = Field(alias="from", description="URI of the file.")

    async def run(self, ctx: RunContext) -> Output:
        uri, size = await in_thread(lambda stop: self._convert(ctx, stop))
        ctx.metric("records", size)
        return self.Output(uri=uri, size=size)

    def _convert(self, ctx: RunContext, stop: Stop) -> tuple[str, int]:
        source = stored(ctx, self.from_, "from")
        with scratch_file(ctx) as target:
            size = self.convert(ctx, source, target, stop)
            return ctx.store_file(target, f"records{self.suffix}"), size

    @abstractmethod
    def convert(self, ctx: RunContext, source: Path, target: Path, stop: Stop) -> int:
        """Write the new file; returns how many records it has."""


class ToIon(Conversion):
    """A conversion into records."""

    typed: Dynamic[bool] = Field(
        default=False,
        description="Whether to write Ion text with its own types, such as timestamps and decimals; else JSON Lines, "
        "which are Ion too and which every other task reads.",
    )

    def convert(self, ctx: RunContext, source: Path, target: Path, stop: Stop) -> int:
        return write_records(target, stop.watch(self.records(ctx, source)), typed=self.typed)

    @abstractmethod
    def records(self, ctx: RunContext, source: Path) -> Iterator[object]:
        """The records of a file, one after another."""


class FromIon(Conversion):
    """A conversion from records: JSON Lines, Ion or Parquet."""

    def convert(self, ctx: RunContext, source: Path, target: Path, stop: Stop) -> int:
        return self.write(ctx, stop.watch(read_records(source)), target)

    @abstractmethod
    def write(self, ctx: RunContext, records: Iterable[object], target: Path) -> int:
        """Write records into a file; returns how many these were."""


def checked_charset(name: str) -> str:
    """The codec of a charset; a mark at the beginning of UTF-8 is left out. Raises: TaskFailedError."""
    try:
        found = codecs.lookup(name).name
    except LookupError as cause:
        raise TaskFailedError(f"`{name}` is no charset", hint="write one such as UTF-8") from cause
    return "utf-8-sig" if found == "utf-8" else found


def note_bad_line(ctx: RunContext, what: OnBadLines, why: str) -> None:
    """Tell of a record that is left out. Raises: TaskFailedError when it must not be."""
    if what is OnBadLines.ERROR:
        raise TaskFailedError(why, hint="set `onBadLines: WARN` or SKIP to leave such records out")
    if what is OnBadLines.WARN:
        ctx.log.warning("%s: left out", why)
