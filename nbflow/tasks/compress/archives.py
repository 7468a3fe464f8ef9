"""Task types that pack stored files into an archive, and take them out of one."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, BinaryIO, cast

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.model.dynamic import AS_TEXT
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.compress.files import MAX_SIZE, PositiveSize
from nbflow.tasks.compress.streams import SUFFIXES, Compression, Limit, Readable, compressing, decompressing
from nbflow.tasks.serdes.rows import records_of
from nbflow.tasks.stopping import Stop, in_thread
from nbflow.tasks.storage.scratch import scratch_file, stored
from nbflow.tasks.working_files import is_stored

_DRIVE = re.compile(r"[A-Za-z]:")


class Archive(StrEnum):
    """A kind of archive."""

    ZIP = "ZIP"
    JAR = "JAR"
    TAR = "TAR"


class ArchiveTask(RunnableTask):
    """What both have in common."""

    algorithm: Dynamic[Archive] = Field(description="Kind of archive: ZIP, JAR or TAR.")
    compression: Dynamic[Compression] | None = Field(
        default=None, description="How the archive as a whole is compressed, such as GZIP for a TAR."
    )


@task_type(
    "io.kestra.plugin.compress.ArchiveCompress",
    aliases=["archive"],
    examples=[
        Example(
            """
            - {id: file, type: write_file, content: hello, extension: .txt}
            - id: archive
              type: io.kestra.plugin.compress.ArchiveCompress
              algorithm: ZIP
              from:
                notes/hello.txt: "{{ outputs.file.uri }}"
            """,
            title="Pack files under their names.",
        )
    ],
)
class ArchiveCompress(ArchiveTask):
    """Pack stored files into an archive."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="URI of the archive.")

    from_: Annotated[Dynamic[dict[str, Text] | list[dict[str, Text]] | Text], AS_TEXT] = Field(
        alias="from",
        description="Files to pack: name in the archive → URI; a map, a list of these, JSON text, or a stored file.",
    )

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(uri=await in_thread(lambda stop: self._pack(ctx, stop)))

    def _pack(self, ctx: RunContext, stop: Stop) -> str:
        files = [(_checked(name), uri) for name, uri in self._files(ctx)]
        ending = f".{self.algorithm.lower()}" + (SUFFIXES[self.compression] if self.compression else "")
        with scratch_file(ctx) as packed:
            with compressing(packed, self.compression) as target, _archive(self.algorithm, target) as add:
                for name, uri in stop.watch(files):
                    add(name, stored(ctx, uri, "from"))
            ctx.metric("count", len(files))
            return ctx.store_file(packed, f"archive{ending}")

    def _files(self, ctx: RunContext) -> Iterator[tuple[str, str]]:
        given: object = self.from_
        if isinstance(given, str):
            given = list(records_of(ctx, given, "from")) if is_stored(given.strip()) else _json(given)
        for part in given if isinstance(given, list) else [given]:
            if not isinstance(part, dict) or not all(isinstance(uri, str) for uri in part.values()):
                raise TaskFailedError("`from` must map names in the archive to URIs of stored files")
            yield from part.items()


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as cause:
        raise TaskFailedError(f"`from` is text that is no JSON: {text[:200]!r}", hint="write a map") from cause


@contextmanager
def _archive(kind: Archive, target: BinaryIO) -> Iterator[Any]:  # Any: a function of (name, path)
    if kind is Archive.TAR:
        with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:

            def add(name: str, path: Path) -> None:
                info = tar.gettarinfo(str(path), name)  # of a link in the storage, the file that it stands for
                info.type, info.linkname, info.size = tarfile.REGTYPE, "", path.stat().st_size
                info.uid = info.gid = 0
                info.uname = info.gname = ""
                with path.open("rb") as file:
                    tar.addfile(info, file)

            yield add
        return
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        yield lambda name, path: archive.write(path, name)


@task_type(
    "io.kestra.plugin.compress.ArchiveDecompress",
    aliases=["unarchive"],
    examples=[
        Example(
            """
            - {id: file, type: write_file, content: hello, extension: .txt}
            - id: archive
              type: archive
              algorithm: TAR
              compression: GZIP
              from: {hello.txt: "{{ outputs.file.uri }}"}
            - id: files
              type: io.kestra.plugin.compress.ArchiveDecompress
              algorithm: TAR
              compression: GZIP
              from: "{{ outputs.archive.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.files.files['hello.txt']) }}"
            """,
            title="Take files out of an archive.",
        )
    ],
)
class ArchiveDecompress(ArchiveTask):
    """Take all files out of a stored archive."""

    class Output(RunnableTask.Output):
        files: dict[str, Text] = Field(description="Name in the archive → URI.")

    from_: Dynamic[Text] = Field(alias="from", description="URI of the archive.")
    max_size: Dynamic[PositiveSize] = Field(
        default=MAX_SIZE, description="Fail when more than this comes out; 10 GB unless said."
    )
    max_files: Dynamic[PositiveInt] = Field(default=100_000, description="Fail when there are more files than this.")

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(files=await in_thread(lambda stop: self._unpack(ctx, stop)))

    def _unpack(self, ctx: RunContext, stop: Stop) -> dict[str, str]:
        source = stored(ctx, self.from_, "from")
        limit = Limit(self.max_size, self.max_files)
        files: dict[str, str] = {}
        with scratch_file(ctx, "-archive") as plain, scratch_file(ctx) as one:
            for name, file in self._members(ctx, source, plain, stop):
                path = _checked(name)
                limit.file()
                with one.open("wb") as target:
                    limit.copy(file, target, stop)
                files[name] = ctx.store_file(one, path)
                one.unlink()  # where it was linked into the storage, the next one must not write to it
        ctx.metric("size", limit.size)
        ctx.metric("count", limit.count)
        return files

    def _members(self, ctx: RunContext, source: Path, plain: Path, stop: Stop) -> Iterator[tuple[str, Readable]]:
        if self.algorithm is Archive.TAR:
            with decompressing(source, self.compression) as stream:
                yield from _in_tar(ctx, stream)
            return
        if self.compression is not None:  # the list of a ZIP's files lies at its end
            with decompressing(source, self.compression) as stream, plain.open("wb") as target:
                Limit(self.max_size, 1).copy(stream, target, stop)
            source = plain
        yield from _in_zip(ctx, source)


def _in_tar(ctx: RunContext, stream: Readable) -> Iterator[tuple[str, Readable]]:
    try:
        with tarfile.open(fileobj=cast("BinaryIO", stream), mode="r|") as tar:
            for member in tar:
                if member.isdir():
                    continue
                file = tar.extractfile(member) if member.isreg() else None
                if file is None:
                    ctx.log.warning("`%s` is left out: it is no file, but a link or a device", member.name)
                    continue
                yield member.name, file
    except tarfile.TarError as cause:
        raise TaskFailedError(
            f"the file is no TAR archive, or damaged: {cause}", hint="check `algorithm` and `compression`"
        ) from cause


def _in_zip(ctx: RunContext, source: Path) -> Iterator[tuple[str, Readable]]:
    try:
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    continue
                if member.external_attr >> 16 & 0o170000 == 0o120000:
                    ctx.log.warning("`%s` is left out: it is no file, but a link", member.filename)
                    continue
                if member.flag_bits & 1:
                    raise TaskFailedError(f"`{member.filename}` is locked with a password")
                with archive.open(member) as file:
                    yield member.filename, cast("Readable", file)
    except (zipfile.BadZipFile, NotImplementedError) as cause:
        raise TaskFailedError(
            f"the file is no ZIP archive, or damaged: {cause}", hint="check `algorithm` and `compression`"
        ) from cause


def _checked(name: str) -> str:
    """A name in an archive as a relative path. Raises: TaskFailedError when it would leave its folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or _DRIVE.match(name) or "\0" in name or not path.name:
        raise TaskFailedError(f"the archive has a file `{name}`, which would leave its folder")
    return path.as_posix()
