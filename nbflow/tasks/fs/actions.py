"""What tasks do on a file system: take files from there, put files there, list, move and delete."""

from __future__ import annotations

import hashlib
import json
import re
from abc import abstractmethod
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar
from urllib.parse import unquote, urlsplit

from pydantic import AliasChoices, Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.model.dynamic import AS_TEXT
from nbflow.plugins import Dynamic, Model, RunContext, RunnableTask, Text
from nbflow.tasks.fs.places import Entry, Place, working_on
from nbflow.tasks.serdes.rows import records_of
from nbflow.tasks.stopping import Stop, in_thread
from nbflow.tasks.storage.scratch import scratch_file, stored
from nbflow.tasks.working_files import is_stored


class FileInfo(Model):
    """What is known of a file."""

    name: Text = Field(description="Its name.")
    path: Text = Field(description="Its path there; once it is downloaded, the URI of the stored file.")
    server_path: Text = Field(description="Its URI there.")
    uri: Text = Field(description="The same as `path`.")
    local_path: Text = Field(description="Its path there.")
    parent: Text = Field(description="The folder it lies in.")
    file_type: Text = Field(description="FILE or FOLDER.")
    is_directory: bool = Field(description="Whether it is a folder.")
    size: int = Field(description="Its size in bytes.")
    updated_date: datetime | None = Field(default=None, description="When it was changed.")
    modified_date: datetime | None = Field(default=None, description="The same as `updatedDate`.")


def file_info(place: Place, entry: Entry, stored_as: str | None = None) -> FileInfo:
    """What outputs tell of a file."""
    path = place.shown(entry.path)
    return FileInfo(
        name=entry.name,
        path=stored_as or path,
        server_path=place.uri(entry.path),
        uri=stored_as or path,
        local_path=path,
        parent=parent_of(path),
        file_type="FOLDER" if entry.is_folder else "FILE",
        is_directory=entry.is_folder,
        size=entry.size,
        updated_date=entry.modified,
        modified_date=entry.modified,
    )


def parent_of(path: str) -> str:
    """The folder of a path or a URL."""
    return path.rpartition("/")[0] if "://" in path else str(PurePosixPath(path).parent)


class Algorithm(StrEnum):
    """How a checksum is counted."""

    MD5 = "MD5"
    SHA_1 = "SHA_1"
    SHA_256 = "SHA_256"
    SHA_512 = "SHA_512"


_HASHES = {
    Algorithm.MD5: "md5",
    Algorithm.SHA_1: "sha1",
    Algorithm.SHA_256: "sha256",
    Algorithm.SHA_512: "sha512",
}


class PlaceTask(RunnableTask):
    """A task on a file system."""

    @abstractmethod
    def open(self, ctx: RunContext) -> Place:
        """Reach the file system; what it needs is closed with the place."""

    async def run(self, ctx: RunContext) -> Any:  # Any: each action has its own output
        return await in_thread(lambda stop: self._run(ctx, stop))

    def _run(self, ctx: RunContext, stop: Stop) -> Any:
        with working_on(lambda: self.open(ctx), self.task_title) as place:
            stop.then(place.close)  # what is on its way then ends
            return self.act(ctx, place, stop)

    @property
    def task_title(self) -> str:
        """What an error begins with."""
        return type(self).__name__.lower()

    @abstractmethod
    def act(self, ctx: RunContext, place: Place, stop: Stop) -> Any:
        """Do the work."""


class DownloadTask(PlaceTask):
    """Take a file."""

    class Output(RunnableTask.Output):
        from_: Text = Field(alias="from", description="URI of the file there.")
        to: Text = Field(description="URI of the stored file.")
        uri: Text = Field(description="The same as `to`.")
        size: int = Field(description="Its size in bytes.")
        checksum: Text | None = Field(default=None, description="Its checksum, when it was asked for.")

    from_: Dynamic[Text] = Field(alias="from", description="Path of the file, or its URI.")
    validate_checksum: Dynamic[bool] = Field(default=False, description="Whether the file must have a checksum.")
    checksum_expected: Dynamic[Text] | None = Field(default=None, description="The checksum, in hexadecimal digits.")
    checksum_algorithm: Dynamic[Algorithm] = Field(
        default=Algorithm.SHA_256, description="How it is counted: MD5, SHA_1, SHA_256 or SHA_512."
    )

    def act(self, ctx: RunContext, place: Place, stop: Stop) -> Output:
        path = place.path(self.from_)
        with scratch_file(ctx) as target:
            size = take(place, path, target, stop)
            checksum = checksum_of(target, self.checksum_algorithm) if self.validate_checksum else None
            if checksum is not None and checksum != (self.checksum_expected or "").strip().lower():
                raise TaskFailedError(
                    f"{place.uri(path)} has the checksum {checksum}, not {self.checksum_expected}",
                    hint="the file was changed, or `checksumAlgorithm` is another",
                )
            uri = ctx.store_file(target, place.name(path))
        ctx.metric("file.size", size)
        ctx.log.debug("%s stored as %s", place.uri(path), uri)
        return self.Output(from_=place.uri(path), to=uri, uri=uri, size=size, checksum=checksum)


def take(place: Place, path: str, target: Path, stop: Stop) -> int:
    """Bring a file of a place to a local path; its size. Raises: TaskFailedError when there is none."""
    entry = place.entry(path)
    if entry is None:
        raise TaskFailedError(f"there is no {place.uri(path)}", hint="check the path, and whether it begins with /")
    if entry.is_folder:
        raise TaskFailedError(f"{place.uri(path)} is a folder", hint="Downloads takes all files of a folder")
    stop.check()
    place.system.get_file(path, str(target))
    return target.stat().st_size


def give(place: Place, source: Path, path: str, stop: Stop) -> int:
    """Put a local file to a place; how many bytes these were."""
    stop.check()
    place.make_folder_of(path)
    place.put(source, path)
    return source.stat().st_size


def checksum_of(path: Path, algorithm: Algorithm) -> str:
    """The checksum of a local file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(_HASHES[algorithm], usedforsecurity=False)).hexdigest()


class UploadTask(PlaceTask):
    """Put a file there."""

    class Output(RunnableTask.Output):
        from_: Text = Field(alias="from", description="URI of the stored file.")
        to: Text = Field(description="URI of the file there.")
        uri: Text = Field(description="The same as `to`.")
        size: int = Field(description="Its size in bytes.")

    from_: Dynamic[Text] = Field(alias="from", description="URI of the stored file.")
    to: Dynamic[Text] | None = Field(
        default=None, description="Path to put it at; one that ends with / is a folder. Its own name unless said."
    )
    overwrite: Dynamic[bool] = Field(default=True, description="Whether a file that is there is replaced; else fail.")

    def act(self, ctx: RunContext, place: Place, stop: Stop) -> Output:
        source, name = stored(ctx, self.from_, "from"), stored_name(self.from_)
        path = place.path(self.to or name)
        if path.endswith("/"):
            path += name
        refuse_existing(place, path, self.overwrite)
        size = give(place, source, path, stop)
        ctx.metric("file.size", size)
        uri = place.uri(path)
        return self.Output(from_=self.from_, to=uri, uri=uri, size=size)


def stored_name(uri: str) -> str:
    """The name of a stored file."""
    return PurePosixPath(unquote(urlsplit(uri.strip()).path)).name


def refuse_existing(place: Place, path: str, overwrite: bool) -> None:
    """Raises: TaskFailedError for a file that is there and must not be replaced."""
    if not overwrite and place.entry(path) is not None:
        raise TaskFailedError(f"{place.uri(path)} is there already", hint="set `overwrite: true` to replace it")


class UploadsTask(PlaceTask):
    """Put several files there."""

    class Output(RunnableTask.Output):
        files: list[Text] = Field(description="URIs of the files there.")

    from_: Annotated[Dynamic[list[Text] | dict[str, Text] | Text], AS_TEXT] = Field(
        alias="from",
        description="Stored files: a list of URIs, a map of name → URI, JSON text or a stored file of one.",
    )
    to: Dynamic[Text] = Field(description="Folder to put them into.")
    reg_exp: Dynamic[Text] | None = Field(
        default=None, validation_alias=AliasChoices("regExp", "regexp"), description="Only files whose URI matches."
    )
    max_files: Dynamic[PositiveInt] = Field(default=25, description="At most so many; the rest is left out.")
    overwrite: Dynamic[bool] = Field(default=True, description="Whether files that are there are replaced; else fail.")

    def act(self, ctx: RunContext, place: Place, stop: Stop) -> Output:
        matching = [(name, uri) for name, uri in files_given(ctx, self.from_) if matches(self.reg_exp, uri)]
        chosen = limited(ctx, matching, self.max_files)
        folder = place.path(self.to).rstrip("/")
        put = []
        for name, uri in stop.watch(chosen):
            path = f"{folder}/{name.lstrip('/')}"
            refuse_existing(place, path, self.overwrite)
            give(place, stored(ctx, uri, "from"), path, stop)
            put.append(place.uri(path))
        ctx.metric("files.count", len(put))
        return self.Output(files=put)


def files_given(ctx: RunContext, given: object, *, may_list: bool = True) -> list[tuple[str, str]]:
    """Names and URIs of the stored files that `from` names; with `may_list`, a file of records may list them.

    Raises: TaskFailedError.
    """
    if isinstance(given, str):
        text = given.strip()
        if text.startswith(("[", "{")):
            try:
                given = json.loads(text)
            except ValueError as cause:
                raise TaskFailedError(f"`from` is text that is no JSON: {text[:200]!r}") from cause
        elif may_list and is_stored(text) and stored_name(text).endswith((".ion", ".jsonl")):
            given = list(records_of(ctx, text, "from"))
        else:
            given = [text]
    if isinstance(given, dict):
        given = [given]
    files: list[tuple[str, str]] = []
    for item in given if isinstance(given, list) else []:
        if isinstance(item, str):
            files.append((stored_name(item), item))
        elif isinstance(item, dict):
            files += [(_checked(str(name)), str(uri)) for name, uri in item.items()]
        else:
            raise TaskFailedError(f"`from` must hold URIs of stored files, got {item!r:.100}")
    return files


def _checked(name: str) -> str:
    if ".." in PurePosixPath(name).parts:
        raise TaskFailedError(f"`from`: the name `{name}` would leave its folder")
    return name


def matches(pattern: str | None, text: str) -> bool:
    """Whether a whole text matches a pattern. Raises: TaskFailedError for one that is none."""
    if pattern is None:
        return True
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error as cause:
        raise TaskFailedError(f"`{pattern}` is no regular expression: {cause}") from cause


def limited(ctx: RunContext, items: list[Any], most: int) -> list[Any]:  # Any: whatever they are
    """The first of them; that there are more is said."""
    if len(items) > most:
        ctx.log.warning("%d files match, the first %d are taken: raise `maxFiles` for more", len(items), most)
    return items[:most]


class MoveTask(PlaceTask):
    """Move a file or a folder."""

    class Output(RunnableTask.Output):
        from_: Text = Field(alias="from", description="URI that it had.")
        to: Text = Field(description="URI that it has now.")

    from_: Dynamic[Text] = Field(alias="from", description="Path of the file or folder, or its URI.")
    to: Dynamic[Text] = Field(description="Its new path; one that ends with / is a folder to put it into.")
    overwrite: Dynamic[bool] = Field(default=False, description="Whether a file that is there is replaced; else fail.")
    copies: ClassVar[bool] = False

    def act(self, ctx: RunContext, place: Place, stop: Stop) -> Output:
        source, target = place.path(self.from_).rstrip("/"), place.path(self.to)
        entry = place.entry(source)
        if entry is None:
            raise TaskFailedError(f"there is no {place.uri(source)}")
        if target.endswith("/"):
            target += entry.name
        refuse_existing(place, target, self.overwrite)
        if place.entry(target) is not None and not entry.is_folder:
            place.system.rm_file(target)
        place.make_folder_of(target)
        move = place.system.copy if self.copies else place.system.mv
        if entry.is_folder:
            move(source, target, recursive=True)
        else:
            move(source, target)
        return self.Output(from_=place.uri(source), to=place.uri(target))


class DeleteTask(PlaceTask):
    """Delete a file or a folder."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="Its URI.")
        deleted: bool = Field(description="Whether there was something to delete.")
        uris: list[Text] = Field(description="URIs of all files deleted, with `regExp`.")

    uri: Dynamic[Text] = Field(
        validation_alias=AliasChoices("uri", "from"), description="Path of the file or folder, or its URI."
    )
    error_on_missing: Dynamic[bool] = Field(default=False, description="Whether to fail when there is none.")
    recursive: Dynamic[bool] = Field(
        default=True, description="Whether a folder is deleted with all in it, or looked through with `regExp`."
    )
    reg_exp: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("regExp", "regexp"),
        description="Delete only the files of the folder whose whole path matches.",
    )

    def act(self, ctx: RunContext, place: Place, stop: Stop) -> Output:
        path = place.path(self.uri).rstrip("/") or "/"
        entry = place.entry(path)
        uris: list[str] = []
        if entry is None:
            if self.error_on_missing:
                raise TaskFailedError(f"there is no {place.uri(path)}", hint="leave `errorOnMissing` out")
        elif self.reg_exp is not None:
            for found in stop.watch(place.entries(path, recursive=self.recursive)):
                if not found.is_folder and matches(self.reg_exp, place.shown(found.path)):
                    place.system.rm_file(found.path)
                    uris.append(place.uri(found.path))
        elif entry.is_folder:
            delete_folder(place, path, recursive=self.recursive)
        else:
            place.system.rm_file(path)
        deleted = entry is not None and (self.reg_exp is None or bool(uris))
        return self.Output(uri=place.uri(path), deleted=deleted, uris=uris)


def delete_folder(place: Place, path: str, *, recursive: bool) -> None:
    """Delete a folder and what is in it. Raises: TaskFailedError when it is not empty, unless `recursive`."""
    inside = place.entries(path)
    if inside and not recursive:
        raise TaskFailedError(f"{place.uri(path)} is not empty", hint="set `recursive: true`")
    for entry in inside:
        if entry.is_folder:
            delete_folder(place, entry.path, recursive=True)
        else:
            place.system.rm_file(entry.path)
    if place.entry(path) is not None:
        place.system.rmdir(path)
