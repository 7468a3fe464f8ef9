"""Task types that compress one stored file, and decompress it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import Field

from nbflow.model.sizes import Size
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.compress.streams import SUFFIXES, Compression, Limit, compressing, decompressing
from nbflow.tasks.stopping import Stop, in_thread
from nbflow.tasks.storage.scratch import scratch_file, stored

MAX_SIZE = 10 * 1024**3
"""What may come out of a packed file unless a task says otherwise."""

PositiveSize = Annotated[Size, Field(gt=0)]


class FileTask(RunnableTask):
    """What both have in common."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="URI of the new file.")

    from_: Dynamic[Text] = Field(alias="from", description="URI of the file.")
    compression: Dynamic[Compression] = Field(description="GZIP, BZIP2, XZ, ZSTD, LZ4FRAME, DEFLATE, LZMA or BROTLI.")


@task_type(
    "io.kestra.plugin.compress.FileCompress",
    aliases=["compress"],
    examples=[
        Example(
            """
            - {id: file, type: write_file, content: hello, extension: .txt}
            - id: small
              type: io.kestra.plugin.compress.FileCompress
              from: "{{ outputs.file.uri }}"
              compression: GZIP
            """,
            title="Compress a file.",
        )
    ],
)
class FileCompress(FileTask):
    """Compress a stored file."""

    class Output(FileTask.Output):
        pass

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(uri=await in_thread(lambda stop: self._compress(ctx, stop)))

    def _compress(self, ctx: RunContext, stop: Stop) -> str:
        source = stored(ctx, self.from_, "from")
        with scratch_file(ctx) as packed:
            with source.open("rb") as file, compressing(packed, self.compression) as target:
                while portion := file.read(1 << 18):
                    stop.check()
                    target.write(portion)
            return ctx.store_file(packed, f"{name_of(self.from_)}{SUFFIXES[self.compression]}")


@task_type(
    "io.kestra.plugin.compress.FileDecompress",
    aliases=["decompress"],
    examples=[
        Example(
            """
            - {id: file, type: write_file, content: hello, extension: .txt}
            - {id: small, type: compress, from: "{{ outputs.file.uri }}", compression: GZIP}
            - id: again
              type: io.kestra.plugin.compress.FileDecompress
              from: "{{ outputs.small.uri }}"
              compression: GZIP
            - id: show
              type: log
              message: "{{ read(outputs.again.uri) }}"
            """,
            title="Decompress a file.",
        )
    ],
)
class FileDecompress(FileTask):
    """Decompress a stored file."""

    class Output(FileTask.Output):
        pass

    max_size: Dynamic[PositiveSize] = Field(
        default=MAX_SIZE, description="Fail when more than this comes out; 10 GB unless said."
    )

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(uri=await in_thread(lambda stop: self._decompress(ctx, stop)))

    def _decompress(self, ctx: RunContext, stop: Stop) -> str:
        source = stored(ctx, self.from_, "from")
        name = name_of(self.from_)
        with scratch_file(ctx) as plain:
            with decompressing(source, self.compression) as file, plain.open("wb") as target:
                Limit(self.max_size, 1).copy(file, target, stop)
            return ctx.store_file(plain, name.removesuffix(SUFFIXES[self.compression]) or "file")


def name_of(uri: str) -> str:
    """The name of a stored file."""
    return PurePosixPath(unquote(urlsplit(uri.strip()).path)).name or "file"
