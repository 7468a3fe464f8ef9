"""Task types that make, join, turn round, measure and delete stored files."""

from __future__ import annotations

import asyncio
import codecs
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

from pydantic import Field

from nbflow.errors import StoredFileNotFoundError, TaskFailedError
from nbflow.model.dynamic import AS_TEXT
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.flow.values import text_of
from nbflow.tasks.storage.scratch import checked_suffix, copy_portions, scratch_file, stored, suffix_of
from nbflow.types import JsonValue

_PORTION = 1 << 16


@task_type(
    "io.kestra.plugin.core.storage.Concat",
    aliases=["concat"],
    old_names=["io.kestra.core.tasks.storages.Concat"],
    examples=[
        Example(
            """
            - {id: one, type: write_file, content: "a\\n"}
            - {id: two, type: write_file, content: "b\\n"}
            - id: both
              type: io.kestra.plugin.core.storage.Concat
              files: ["{{ outputs.one.uri }}", "{{ outputs.two.uri }}"]
              extension: .txt
            - id: show
              type: log
              message: "{{ read(outputs.both.uri) }}"
            """,
            title="One file from two.",
        )
    ],
)
class Concat(RunnableTask):
    """Join stored files into one."""

    class Output(RunnableTask.Output):
        uri: str = Field(description="URI of the whole.")

    files: Annotated[Dynamic[list[Text] | Text], AS_TEXT] = Field(
        description="URIs of the files: a list, or JSON text of one."
    )
    separator: Dynamic[Text] | None = Field(
        default=None, description="What to write after each file; nothing unless said."
    )
    extension: Dynamic[Text] = Field(default=".tmp", description="How the name of the new file ends.")

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(uri=await asyncio.to_thread(self._join, ctx))

    def _join(self, ctx: RunContext) -> str:
        suffix, separator = checked_suffix(self.extension), (self.separator or "").encode()
        with scratch_file(ctx) as whole:
            with whole.open("wb") as target:
                for uri in _read_list(self.files):
                    with stored(ctx, uri, "files").open("rb") as file:
                        copy_portions(file, target)
                    target.write(separator)
            return ctx.store_file(whole, f"concat{suffix}")


def _read_list(files: list[str] | str) -> list[str]:
    if not isinstance(files, str):
        return files
    try:
        read = json.loads(files)
    except ValueError as cause:
        raise TaskFailedError(f"`files` is text that is no JSON: {files[:200]!r}", hint="write a list") from cause
    if not isinstance(read, list) or not all(isinstance(item, str) for item in read):
        raise TaskFailedError(f"`files` must be a list of URIs, got {files[:200]!r}")
    return read


@task_type(
    "io.kestra.plugin.core.storage.Reverse",
    aliases=["reverse"],
    old_names=["io.kestra.core.tasks.storages.Reverse"],
    examples=[
        Example(
            """
            - {id: lines, type: write_file, content: "a\\nb\\nc\\n"}
            - id: reversed
              type: io.kestra.plugin.core.storage.Reverse
              from: "{{ outputs.lines.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.reversed.uri) }}"
            """,
            title="The lines of a file, last to first.",
        )
    ],
)
class Reverse(RunnableTask):
    """Turn a stored file round: its last line comes first."""

    class Output(RunnableTask.Output):
        uri: str = Field(description="URI of the new file.")

    from_: Dynamic[Text] = Field(alias="from", description="URI of the file.")
    separator: Dynamic[Text] = Field(default="\n", description="What to write after each line.")
    charset: Dynamic[Text] = Field(default="UTF-8", description="How the text of the file is encoded.")

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(uri=await asyncio.to_thread(self._turn_round, ctx))

    def _turn_round(self, ctx: RunContext) -> str:
        try:
            charset = codecs.lookup(self.charset).name
        except LookupError as cause:
            raise TaskFailedError(f"`{self.charset}` is no charset", hint="write one such as UTF-8") from cause
        # Line ends can be looked for in the bytes of most encodings; the others are read once, into one that can.
        is_plain = "\n".encode(charset) == b"\n"
        source = stored(ctx, self.from_, "from")
        with scratch_file(ctx) as reversed_file, scratch_file(ctx, "-plain") as plain:
            if not is_plain:
                _rewrite(source, charset, plain, "utf-8")
            with (source if is_plain else plain).open("rb") as file, reversed_file.open("wb") as target:
                separator = self.separator.encode(charset if is_plain else "utf-8")
                for line in lines_backwards(file):
                    target.write(line + separator)
            if not is_plain:
                _rewrite(reversed_file, "utf-8", plain, charset)
            return ctx.store_file(reversed_file if is_plain else plain, f"reversed{suffix_of(self.from_)}")


def lines_backwards(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file from the last to the first, without their ends; no more of it is held than a line."""
    position = file.seek(0, os.SEEK_END)
    kept: list[bytes] = []  # the portions of a line whose beginning is not read yet, the last one first
    is_end = True
    while position:
        start = max(position - _PORTION, 0)
        file.seek(start)
        portion = file.read(position - start)
        position = start
        if is_end:
            portion, is_end = portion.removesuffix(b"\n"), False
        first, *others = portion.split(b"\n")
        for line in reversed(others):
            yield _joined(kept, line)
            kept = []
        kept.append(first)
    if not is_end:
        yield _joined(kept, b"")


def _joined(kept: list[bytes], before: bytes) -> bytes:
    return b"".join([before, *reversed(kept)]).removesuffix(b"\r")


def _rewrite(source: Path, charset: str, target: Path, new_charset: str) -> None:
    try:
        with (
            source.open(encoding=charset, newline="") as text,
            target.open("w", encoding=new_charset, newline="") as copy,
        ):
            while portion := text.read(1 << 20):
                copy.write(portion)
    except UnicodeError as cause:
        raise TaskFailedError(f"the file is not encoded in {charset}: {cause}") from cause


@task_type(
    "io.kestra.plugin.core.storage.Size",
    aliases=["file_size"],
    old_names=["io.kestra.core.tasks.storages.Size"],
    examples=[
        Example(
            """
            - {id: file, type: write_file, content: hello}
            - id: size
              type: io.kestra.plugin.core.storage.Size
              uri: "{{ outputs.file.uri }}"
            - id: show
              type: log
              message: "{{ outputs.size.size }} bytes"
            """,
            title="How large a stored file is.",
        )
    ],
)
class Size(RunnableTask):
    """Tell the size of a stored file."""

    class Output(RunnableTask.Output):
        size: int = Field(description="Its size in bytes.")

    uri: Dynamic[Text] = Field(description="URI of the file.")

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(size=await asyncio.to_thread(ctx.storage.size, self.uri.strip()))


@task_type(
    "io.kestra.plugin.core.storage.Delete",
    aliases=["delete_file"],
    old_names=["io.kestra.core.tasks.storages.Delete"],
    examples=[
        Example(
            """
            - {id: file, type: write_file, content: hello}
            - id: delete
              type: io.kestra.plugin.core.storage.Delete
              uri: "{{ outputs.file.uri }}"
            """,
            title="Delete a stored file.",
        )
    ],
)
class Delete(RunnableTask):
    """Delete a stored file."""

    class Output(RunnableTask.Output):
        uri: str = Field(description="URI of the file.")
        deleted: bool = Field(description="Whether there was such a file.")

    uri: Dynamic[Text] = Field(description="URI of the file.")
    error_on_missing: Dynamic[bool] = Field(default=False, description="Whether to fail when there is no such file.")

    async def run(self, ctx: RunContext) -> Output:
        uri = self.uri.strip()
        deleted = await asyncio.to_thread(ctx.storage.delete, uri)
        if self.error_on_missing and not deleted:
            raise StoredFileNotFoundError(f"there is no file {uri} in the storage")
        return self.Output(uri=uri, deleted=deleted)


@task_type(
    "io.kestra.plugin.core.storage.Write",
    aliases=["write_file"],
    examples=[
        Example(
            """
            - id: report
              type: io.kestra.plugin.core.storage.Write
              content: |
                day,orders
                1,42
              extension: .csv
            - id: show
              type: log
              message: "{{ read(outputs.report.uri) }}"
            """,
            title="A file from a text.",
        )
    ],
)
class Write(RunnableTask):
    """Store a text as a file."""

    class Output(RunnableTask.Output):
        uri: str = Field(description="URI of the file.")

    content: Annotated[Dynamic[JsonValue], AS_TEXT] = Field(description="The text; a map or a list is written as JSON.")
    extension: Dynamic[Text] = Field(default="", description="How the name of the file ends, such as `.csv`.")

    async def run(self, ctx: RunContext) -> Output:
        name = f"content{checked_suffix(self.extension)}"
        return self.Output(uri=await asyncio.to_thread(ctx.store_bytes, text_of(self.content).encode(), name))


@task_type(
    "io.kestra.plugin.core.storage.PurgeCurrentExecutionFiles",
    aliases=["purge_current_execution_files"],
    old_names=[
        "io.kestra.core.tasks.storages.PurgeCurrentExecutionFiles",
        "io.kestra.core.tasks.storages.PurgeExecution",
        "io.kestra.plugin.core.storage.PurgeExecution",
    ],
    examples=[
        Example(
            """
            - {id: file, type: write_file, content: hello}
            - id: tidy
              type: io.kestra.plugin.core.storage.PurgeCurrentExecutionFiles
            """,
            title="Leave no files behind.",
        )
    ],
)
class PurgeCurrentExecutionFiles(RunnableTask):
    """Delete all files of the running execution: its inputs, and what its tasks have stored so far."""

    class Output(RunnableTask.Output):
        uris: list[str] = Field(description="URIs of the files deleted.")

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(uris=await asyncio.to_thread(_purge, ctx))


def _purge(ctx: RunContext) -> list[str]:
    folder = f"{ctx.namespace.replace('.', '/')}/{ctx.flow_id}/executions/{ctx.execution_id}"
    return [uri for uri in ctx.storage.list(folder) if ctx.storage.delete(uri)]
