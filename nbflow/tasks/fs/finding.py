"""What tasks do with the files of a folder on a file system: list them, or take them all."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AliasChoices, Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, RunContext, RunnableTask, Text
from nbflow.tasks.fs.actions import FileInfo, PlaceTask, file_info, limited, matches, take
from nbflow.tasks.fs.places import Entry, Place
from nbflow.tasks.stopping import Stop
from nbflow.tasks.storage.scratch import scratch_file


class Sort(StrEnum):
    """The order of files."""

    NONE = "NONE"
    LAST_MODIFIED_ASC = "LAST_MODIFIED_ASC"
    LAST_MODIFIED_DESC = "LAST_MODIFIED_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"


class Filter(StrEnum):
    """What to list of a store of objects."""

    FILES = "FILES"
    DIRECTORY = "DIRECTORY"
    BOTH = "BOTH"


class Action(StrEnum):
    """What happens to files once they are downloaded."""

    MOVE = "MOVE"
    DELETE = "DELETE"
    NONE = "NONE"


class FindingTask(PlaceTask):
    """A task on the files of a folder."""

    from_: Dynamic[Text] = Field(alias="from", description="Path of the folder, or its URI.")
    reg_exp: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("regExp", "regexp"),
        description="Only files whose whole path matches.",
    )
    recursive: Dynamic[bool] = Field(default=False, description="Whether folders in it are looked into as well.")
    max_files: Dynamic[PositiveInt] = Field(default=25, description="At most so many; the rest is left out.")

    def found(self, place: Place) -> list[Entry]:
        """The files, and the folders unless they are looked into, that match."""
        folder = place.path(self.from_)
        single = place.entry(folder)
        entries = (
            [single] if single is not None and not single.is_folder else place.entries(folder, recursive=self.recursive)
        )
        return [entry for entry in entries if matches(self.reg_exp, place.shown(entry.path))]


class ListTask(FindingTask):
    """List the files of a folder."""

    class Output(RunnableTask.Output):
        files: list[FileInfo] = Field(description="The files.")
        count: int = Field(description="How many there are.")

    sort: Dynamic[Sort] = Field(default=Sort.NONE, description="Their order, before `maxFiles` cuts them off.")

    def act(self, ctx: RunContext, place: Place, stop: Stop) -> Output:
        files = limited(ctx, _sorted(self.found(place), self.sort), self.max_files)
        ctx.metric("size", sum(entry.size for entry in files))
        ctx.metric("count", len(files))
        return self.Output(files=[file_info(place, entry) for entry in files], count=len(files))


def _sorted(entries: list[Entry], order: Sort) -> list[Entry]:
    if order is Sort.NONE:
        return entries
    is_backwards = order.endswith("_DESC")
    if order in (Sort.NAME_ASC, Sort.NAME_DESC):
        return sorted(entries, key=lambda entry: entry.name, reverse=is_backwards)
    return sorted(
        entries, key=lambda entry: entry.modified.timestamp() if entry.modified else 0.0, reverse=is_backwards
    )


class DownloadsTask(FindingTask):
    """Take all files of a folder."""

    class Output(RunnableTask.Output):
        files: list[FileInfo] = Field(description="The files; `path` is the URI of the stored one.")
        output_files: dict[str, Text] = Field(description="Name → URI of the stored file.")

    action: Dynamic[Action] = Field(
        default=Action.NONE, description="What happens there to files that were taken: NONE, MOVE, DELETE."
    )
    move_directory: Dynamic[Text] | None = Field(default=None, description="Where to, with `action: MOVE`.")

    def act(self, ctx: RunContext, place: Place, stop: Stop) -> Output:
        if self.action is Action.MOVE and self.move_directory is None:
            raise TaskFailedError("`action: MOVE` needs `moveDirectory`")
        entries = limited(ctx, [entry for entry in self.found(place) if not entry.is_folder], self.max_files)
        base = place.path(self.from_).rstrip("/")
        files, uris = [], {}
        for entry in stop.watch(entries):
            name = entry.path.removeprefix(f"{base}/") if self.recursive else entry.name
            with scratch_file(ctx) as target:
                take(place, entry.path, target, stop)
                uri = ctx.store_file(target, name.lstrip("/"))
            files.append(file_info(place, entry, uri))
            uris[name] = uri
        for entry in entries:  # once all are stored: a run that fails before may be repeated
            self._clear(place, entry)
        ctx.metric("files.count", len(files))
        return self.Output(files=files, output_files=uris)

    def _clear(self, place: Place, entry: Entry) -> None:
        if self.action is Action.DELETE:
            place.system.rm_file(entry.path)
        elif self.action is Action.MOVE:
            target = f"{place.path(self.move_directory or '').rstrip('/')}/{entry.name}"
            place.make_folder_of(target)
            place.system.mv(entry.path, target)
