"""Task types that put files into a namespace, take them out and delete them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.plugins.storages import FileOfNamespace
from nbflow.tasks.storage.scratch import stored
from nbflow.tasks.working_files import matching_files

_GLOB, _REGEX = "glob:", "regex:"


class Conflict(StrEnum):
    """What happens to a file whose path is taken."""

    OVERWRITE = "OVERWRITE"
    ERROR = "ERROR"
    SKIP = "SKIP"


class FilesOutput(RunnableTask.Output):
    """The files of a namespace that a task was about."""

    files: dict[str, str] = Field(description="Path → URI of the files.")


@task_type(
    "io.kestra.plugin.core.namespace.UploadFiles",
    aliases=["upload_files"],
    examples=[
        Example(
            """
            - id: write
              type: write_file
              content: select 1
            - id: upload
              type: io.kestra.plugin.core.namespace.UploadFiles
              namespace: "{{ flow.namespace }}"
              filesMap:
                queries/one.sql: "{{ outputs.write.uri }}"
            - id: show
              type: log
              message: "{{ read('queries/one.sql') }}"
            """,
            title="Put a stored file into the namespace.",
        )
    ],
)
class UploadFiles(RunnableTask):
    """Put files of the working directory, or stored ones, into a namespace."""

    class Output(FilesOutput):
        pass

    namespace: Dynamic[Text] | None = Field(default=None, description="Where to; the flow's namespace unless said.")
    files: Dynamic[list[Text]] | None = Field(
        default=None, description="Files of the working directory: names or globs, such as `scripts/**`."
    )
    files_map: Dynamic[dict[str, Text] | Text] | None = Field(
        default=None, description="Stored files: name → URI, a map or JSON text of one."
    )
    destination: Dynamic[Text] = Field(default="/", description="Folder of the namespace to put them into.")
    conflict: Dynamic[Conflict] = Field(
        default=Conflict.OVERWRITE,
        description="What to do when there is a file: OVERWRITE it, SKIP the new one, ERROR.",
    )

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.files is None and self.files_map is None:
            raise ValueError("needs `files` or `filesMap`")
        return self

    async def run(self, ctx: RunContext) -> Output:
        files = await asyncio.to_thread(self._put, ctx)
        ctx.metric("uploaded", len(files))
        return self.Output(files=files)

    def _put(self, ctx: RunContext) -> dict[str, str]:
        namespace, folder = self.namespace or ctx.namespace, self.destination.strip("/")
        put = {}
        for name, source in self._sources(ctx):
            path = "/".join(part for part in (folder, name.lstrip("/")) if part)
            if self.conflict is not Conflict.OVERWRITE and ctx.namespace_files.exists(namespace, path):
                if self.conflict is Conflict.SKIP:
                    ctx.log.debug("`%s` is there already", path)
                    continue
                raise TaskFailedError(
                    f"`{path}` is there already in {namespace}", hint="set `conflict: OVERWRITE` to replace it"
                )
            file = ctx.namespace_files.put(namespace, path, source)
            put[f"/{file.path}"] = file.uri
        return put

    def _sources(self, ctx: RunContext) -> Iterator[tuple[str, Path]]:
        """The files to put, each under the name it shall have."""
        base = ctx.working_dir.resolve()
        for pattern in self.files or []:
            found = list(_in_working_dir(ctx, base, pattern))
            if not found:
                ctx.log.warning("files: nothing matches `%s`", pattern)
            for path in found:
                if not path.resolve().is_relative_to(base):
                    raise TaskFailedError(f"`files`: `{path.name}` is a link that leaves the working directory")
                yield path.relative_to(base).as_posix(), path
        for name, uri in _read_map(self.files_map or {}).items():
            yield name, stored(ctx, uri, "filesMap")


def _in_working_dir(ctx: RunContext, base: Path, pattern: str) -> Iterator[Path]:
    if not pattern.startswith(_REGEX):
        yield from matching_files(ctx, pattern.removeprefix(_GLOB))
        return
    regex = _compiled(pattern)
    for path in matching_files(ctx, "**"):
        if _is_match(regex, path.relative_to(base).as_posix()):
            yield path


def _read_map(files: dict[str, str] | str) -> dict[str, str]:
    if not isinstance(files, str):
        return files
    try:
        read = json.loads(files)
    except ValueError as cause:
        raise TaskFailedError(f"`filesMap` is text that is no JSON: {files[:200]!r}", hint="write a map") from cause
    if not isinstance(read, dict) or not all(isinstance(uri, str) for uri in read.values()):
        raise TaskFailedError(f"`filesMap` must be a map of names and URIs, got {files[:200]!r}")
    return read


@task_type(
    "io.kestra.plugin.core.namespace.DownloadFiles",
    aliases=["download_files"],
    examples=[
        Example(
            """
            - id: queries
              type: io.kestra.plugin.core.namespace.DownloadFiles
              namespace: "{{ flow.namespace }}"
              files: ["*.sql"]
            - id: show
              type: log
              message: "{{ outputs.queries.files }}"
            """,
            title="The queries of the namespace, as stored files.",
            files={"queries/one.sql": "select 1"},
        )
    ],
)
class DownloadFiles(RunnableTask):
    """Store copies of a namespace's files, for the tasks of any flow."""

    class Output(FilesOutput):
        pass

    namespace: Dynamic[Text] | None = Field(default=None, description="Whose files; the flow's namespace unless said.")
    files: Dynamic[list[Text] | Text] = Field(description="Paths or globs of the files, such as `**/*.sql`.")
    destination: Dynamic[Text] = Field(default="", description="Folder that the copies lie in.")

    async def run(self, ctx: RunContext) -> Output:
        files = await asyncio.to_thread(self._copy, ctx)
        ctx.metric("downloaded", len(files))
        return self.Output(files=files)

    def _copy(self, ctx: RunContext) -> dict[str, str]:
        folder = self.destination.strip("/")
        return {
            f"/{file.path}": ctx.store_file(ctx.file(file.uri), f"{folder}/{file.path}" if folder else file.path)
            for file in _of_namespace(ctx, self.namespace or ctx.namespace, self.files)
        }


@task_type(
    "io.kestra.plugin.core.namespace.DeleteFiles",
    aliases=["delete_files"],
    examples=[
        Example(
            """
            id: tidy
            type: io.kestra.plugin.core.namespace.DeleteFiles
            namespace: "{{ flow.namespace }}"
            files: ["tmp/**"]
            """,
            title="Delete what lies in a folder.",
            files={"tmp/a.txt": "a", "keep.txt": "b"},
        )
    ],
)
class DeleteFiles(RunnableTask):
    """Delete files of a namespace."""

    class Output(FilesOutput):
        pass

    namespace: Dynamic[Text] | None = Field(default=None, description="Whose files; the flow's namespace unless said.")
    files: Dynamic[list[Text] | Text] = Field(description="Paths or globs of the files, such as `**/*.sql`.")
    delete_parent_folder: Dynamic[bool] = Field(
        default=True, description="Accepted; a folder is there as long as there is a file in it."
    )

    async def run(self, ctx: RunContext) -> Output:
        files = await asyncio.to_thread(self._delete, ctx)
        ctx.metric("deleted", len(files))
        return self.Output(files=files)

    def _delete(self, ctx: RunContext) -> dict[str, str]:
        found = _of_namespace(ctx, self.namespace or ctx.namespace, self.files)
        return {f"/{file.path}": file.uri for file in found if ctx.storage.delete(file.uri)}


def _of_namespace(ctx: RunContext, namespace: str, patterns: list[str] | str) -> list[FileOfNamespace]:
    """The files of a namespace that match a pattern or more, sorted by path."""
    found: dict[str, FileOfNamespace] = {}
    for pattern in _read_list(patterns):
        matching = _matching(ctx, namespace, pattern)
        if not matching:
            ctx.log.warning("files: nothing in %s matches `%s`", namespace, pattern)
        found.update((file.path, file) for file in matching)
    return [found[path] for path in sorted(found)]


def _matching(ctx: RunContext, namespace: str, pattern: str) -> Sequence[FileOfNamespace]:
    if not pattern.startswith(_REGEX):
        return ctx.namespace_files.list(namespace, include=[pattern.removeprefix(_GLOB)])
    regex = _compiled(pattern)
    return [file for file in ctx.namespace_files.list(namespace) if _is_match(regex, file.path)]


def _read_list(patterns: list[str] | str) -> list[str]:
    if isinstance(patterns, list):
        return patterns
    if patterns.startswith("["):  # what an expression gave
        try:
            read = json.loads(patterns)
        except ValueError:
            return [patterns]
        return [str(pattern) for pattern in read]
    return [patterns]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern.removeprefix(_REGEX))
    except re.error as cause:
        raise TaskFailedError(f"`{pattern}` is no regular expression: {cause}") from cause


def _is_match(regex: re.Pattern[str], path: str) -> bool:
    return bool(regex.fullmatch(path) or regex.fullmatch(f"/{path}"))
